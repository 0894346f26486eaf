PRAGMA page_size=512;
CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT);
INSERT INTO blobs VALUES ('a', x'0a0102');
INSERT INTO meta VALUES ('0', 'not hex');
INSERT INTO meta VALUES ('1', '7b');
