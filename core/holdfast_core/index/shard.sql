-- shard_NNNN.db: the text of messages, and the words in it. Rowids ascend with time.
-- A run is consecutive messages of one session; its id is the rowid of the first.
CREATE TABLE run(
  id INTEGER PRIMARY KEY, session INTEGER NOT NULL, first_index INTEGER NOT NULL, count INTEGER NOT NULL,
  heads BLOB NOT NULL);
CREATE INDEX run_session ON run(session, first_index);
CREATE TABLE chunk(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
-- Places in the first column take two bytes less: that is the one with most words.
CREATE VIRTUAL TABLE words USING fts5(
  tool, prose, meta, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
-- What the texts of this shard have in common, for their compression; older ones do without.
CREATE TABLE preset(data BLOB NOT NULL);
CREATE TABLE batch(number INTEGER NOT NULL);
INSERT INTO batch VALUES(0);
-- All words of the rows from lowest to highest, for looking inside words; the most frequent first among the few of
-- `frequent`, with which most pages are filled.
CREATE TABLE dictionary(lowest INTEGER NOT NULL, highest INTEGER NOT NULL, words BLOB NOT NULL, frequent BLOB NOT NULL);
INSERT INTO words(words, rank) VALUES('hashsize', 16777216);
INSERT INTO words(words, rank) VALUES('automerge', 0);
INSERT INTO words(words, rank) VALUES('crisismerge', 64);
