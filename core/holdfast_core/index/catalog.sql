-- catalog.db: what there is, without the text of messages.
-- A source is dirty from before its shard is written until the catalog says the same.
CREATE TABLE source(
  id INTEGER PRIMARY KEY, agent TEXT NOT NULL, key TEXT NOT NULL, path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
  checkpoint BLOB, failure TEXT NOT NULL DEFAULT '', is_dirty INTEGER NOT NULL DEFAULT 0,
  problem_count INTEGER NOT NULL DEFAULT 0, problems BLOB NOT NULL DEFAULT x'', unknown_records TEXT NOT NULL DEFAULT '{}',
  UNIQUE(agent, key));
CREATE INDEX source_path ON source(agent, path);
CREATE INDEX source_dirty ON source(is_dirty) WHERE is_dirty;

-- One row for each session in each source. is_shadow: another source tells more of the same session.
CREATE TABLE session(
  key INTEGER PRIMARY KEY, id TEXT NOT NULL, source INTEGER NOT NULL, agent TEXT NOT NULL, native_id TEXT NOT NULL,
  is_shadow INTEGER NOT NULL DEFAULT 0, is_empty INTEGER NOT NULL, is_subagent INTEGER NOT NULL,
  title TEXT NOT NULL, title_folded TEXT NOT NULL, project_path TEXT NOT NULL, project_folded TEXT NOT NULL,
  project_name_folded TEXT NOT NULL,   branch_folded TEXT NOT NULL, provider_folded TEXT NOT NULL, model_folded TEXT NOT NULL, files_folded TEXT NOT NULL,
  created_ms INTEGER, updated_ms INTEGER, message_count INTEGER NOT NULL, document_count INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, total_tokens INTEGER NOT NULL, cost_usd REAL,
  size_bytes INTEGER NOT NULL, state TEXT NOT NULL, problem_count INTEGER NOT NULL,
  has_error INTEGER NOT NULL, has_image INTEGER NOT NULL, has_todo INTEGER NOT NULL,
  starred INTEGER NOT NULL DEFAULT 0, tags_folded TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  parent_id TEXT, forked_from TEXT, facts BLOB NOT NULL, facts_text_hash BLOB NOT NULL DEFAULT x'',
  UNIQUE(source, id));
CREATE INDEX session_id ON session(id);
CREATE INDEX session_native ON session(native_id);
CREATE INDEX session_parent ON session(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX session_listed ON session(updated_ms DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX session_hidden ON session(key) WHERE is_shadow OR is_empty;
CREATE INDEX session_title ON session(title_folded, id);

-- What a response cost, in every copy. is_elsewhere: it counts in another session.
CREATE TABLE response(
  session INTEGER NOT NULL, key INTEGER NOT NULL, is_elsewhere INTEGER NOT NULL DEFAULT 0,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL, cost_usd REAL,
  PRIMARY KEY(session, key)) WITHOUT ROWID;
CREATE INDEX response_elsewhere ON response(session) WHERE is_elsewhere;
CREATE INDEX response_key ON response(key, session);

CREATE TABLE annotation(session_id TEXT PRIMARY KEY, annotation BLOB NOT NULL) WITHOUT ROWID;

-- place orders shards in time; the highest takes what is new, the lowest what is older than all.
CREATE TABLE shard(
  number INTEGER PRIMARY KEY, place INTEGER NOT NULL UNIQUE, batch INTEGER NOT NULL DEFAULT 0,
  lowest INTEGER NOT NULL, highest INTEGER NOT NULL, oldest_ms INTEGER, newest_ms INTEGER,
  text_bytes INTEGER NOT NULL DEFAULT 0, is_sealed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE session_shard(session INTEGER NOT NULL, shard INTEGER NOT NULL, PRIMARY KEY(session, shard)) WITHOUT ROWID;
