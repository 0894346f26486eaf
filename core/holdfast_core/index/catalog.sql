-- catalog.db: what there is, without the text of messages.
-- A source is dirty from before its shard is written until the catalog says the same.
CREATE TABLE source(
  id INTEGER PRIMARY KEY, agent TEXT NOT NULL, key TEXT NOT NULL, path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
  failure TEXT NOT NULL DEFAULT '', is_dirty INTEGER NOT NULL DEFAULT 0,
  problem_count INTEGER NOT NULL DEFAULT 0, problems BLOB NOT NULL DEFAULT x'', unknown_records TEXT NOT NULL DEFAULT '{}',
  unknown_fields TEXT NOT NULL DEFAULT '{}',
  version TEXT NOT NULL DEFAULT '', checkpoint BLOB, UNIQUE(agent, key));
CREATE INDEX source_path ON source(agent, path);
CREATE INDEX source_dirty ON source(is_dirty) WHERE is_dirty;

-- One row for each session in each source, with what lists are sorted and filtered by and nothing else: they walk
-- over all rows. is_shadow: another source tells more of the same session.
CREATE TABLE session(
  key INTEGER PRIMARY KEY, id TEXT NOT NULL, source INTEGER NOT NULL, agent TEXT NOT NULL, native_id TEXT NOT NULL,
  is_shadow INTEGER NOT NULL DEFAULT 0, is_empty INTEGER NOT NULL, is_subagent INTEGER NOT NULL,
  title_folded TEXT NOT NULL, project_path TEXT NOT NULL, project_folded TEXT NOT NULL, project_name_folded TEXT NOT NULL,
  branch_folded TEXT NOT NULL, provider_folded TEXT NOT NULL, model_folded TEXT NOT NULL, created_ms INTEGER,
  updated_ms INTEGER, message_count INTEGER NOT NULL, document_count INTEGER NOT NULL, total_tokens INTEGER NOT NULL,
  cost_usd REAL, size_bytes INTEGER NOT NULL, state TEXT NOT NULL, problem_count INTEGER NOT NULL,
  has_error INTEGER NOT NULL, has_image INTEGER NOT NULL, has_todo INTEGER NOT NULL, has_note INTEGER NOT NULL,
  is_gone INTEGER NOT NULL, lost_messages INTEGER NOT NULL, damage TEXT NOT NULL,
  starred INTEGER NOT NULL, tags_folded TEXT NOT NULL, parent_id TEXT, forked_from TEXT, UNIQUE(source, id));
CREATE INDEX session_id ON session(id);
CREATE INDEX session_native ON session(native_id);
CREATE INDEX session_name ON session(title_folded);
CREATE INDEX session_parent ON session(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX session_hidden ON session(key) WHERE is_shadow OR is_empty;
-- The counts beside the places.
CREATE INDEX at_project ON session(project_path) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX at_starred ON session(key) WHERE starred AND NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX at_lost ON session(key) WHERE (is_gone OR lost_messages>0) AND NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX at_problem ON session(key) WHERE state='problem' AND NOT is_shadow AND NOT is_empty AND NOT is_subagent;
-- What a list can be sorted by: a page then costs a walk along one of these.
CREATE INDEX by_updated ON session(updated_ms DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_created ON session(created_ms DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_title ON session(title_folded DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_messages ON session(message_count DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_tokens ON session(total_tokens DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_cost ON session(cost_usd DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_size ON session(size_bytes DESC, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_project ON session(project_folded DESC, updated_ms, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;
CREATE INDEX by_agent ON session(agent DESC, updated_ms, id) WHERE NOT is_shadow AND NOT is_empty AND NOT is_subagent;

-- The rest of a session's row.
CREATE TABLE detail(
  key INTEGER PRIMARY KEY, title TEXT NOT NULL, note TEXT NOT NULL,
  input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cache_read_tokens INTEGER NOT NULL,
  cache_write_tokens INTEGER NOT NULL, reasoning_tokens INTEGER NOT NULL,
  facts BLOB NOT NULL, facts_text_hash BLOB NOT NULL DEFAULT x'');
CREATE TABLE files(key INTEGER PRIMARY KEY, files_folded TEXT NOT NULL);

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
-- The shards, and 0 for the catalog, in which words of held sessions may stand that are deleted: `tidy` writes these anew.
-- is_rewritten: only the journal beside the file is left.
CREATE TABLE residue(shard INTEGER PRIMARY KEY, is_rewritten INTEGER NOT NULL DEFAULT 0);
CREATE TABLE session_shard(session INTEGER NOT NULL, shard INTEGER NOT NULL, PRIMARY KEY(session, shard)) WITHOUT ROWID;
