PRAGMA page_size=512;
CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB);
INSERT INTO ItemTable VALUES ('composer.composerData', '{"allComposers": [{"type": "head", "composerId": "c5e00000-0000-4000-8000-00000000000d"}], "hasMigratedComposerData": false}');
