-- For tests: turns the tables of traces of this version back into those of version 2.

ALTER TABLE traces RENAME TO later_traces;
CREATE TABLE traces (
    key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, revision INTEGER NOT NULL, start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL, duration_us INTEGER NOT NULL, response_us INTEGER, ok INTEGER NOT NULL,
    error INTEGER NOT NULL, fault INTEGER NOT NULL, throttle INTEGER NOT NULL, throttled INTEGER NOT NULL,
    partial INTEGER NOT NULL, inferred INTEGER NOT NULL, root INTEGER, status INTEGER, method TEXT, url TEXT,
    client_ip TEXT, agent INTEGER, segments INTEGER NOT NULL, documents INTEGER NOT NULL, bytes INTEGER NOT NULL,
    received_us INTEGER NOT NULL, over_limit INTEGER NOT NULL
);
INSERT INTO traces
    SELECT key, id, revision, start_us, end_us, duration_us, response_us, ok, error, fault, throttle, throttled, partial,
        inferred, root, status, method, (SELECT u.url FROM urls u WHERE u.id = t.url), client_ip, agent, segments,
        documents, bytes, received_us, over_limit
    FROM later_traces t;
DROP TABLE later_traces;
CREATE INDEX traces_fault ON traces (key) WHERE fault;
CREATE INDEX traces_error ON traces (key) WHERE error;
CREATE INDEX traces_throttle ON traces (key) WHERE throttle;
CREATE INDEX traces_partial ON traces (key) WHERE partial;
CREATE INDEX traces_status ON traces (status, key);
CREATE INDEX traces_response ON traces (response_us, key);
CREATE INDEX traces_duration ON traces (duration_us, key);
CREATE INDEX traces_url ON traces (url, key);
CREATE INDEX traces_client_ip ON traces (client_ip, key);
CREATE INDEX traces_agent ON traces (agent, key);
CREATE INDEX traces_start ON traces (start_us, end_us, key);
CREATE INDEX traces_received ON traces (received_us, key);

ALTER TABLE segments RENAME TO later_segments;
CREATE TABLE segments (
    trace INTEGER NOT NULL, segment INTEGER NOT NULL, node INTEGER NOT NULL, id INTEGER NOT NULL,
    start_us INTEGER NOT NULL, end_us INTEGER, response_us INTEGER, duration_us INTEGER, ok INTEGER NOT NULL,
    error INTEGER NOT NULL, throttle INTEGER NOT NULL, fault INTEGER NOT NULL, partial INTEGER NOT NULL,
    inferred INTEGER NOT NULL, root INTEGER NOT NULL, status INTEGER, method TEXT, url TEXT, client_ip TEXT,
    agent INTEGER, PRIMARY KEY (trace, segment)
) WITHOUT ROWID;
INSERT INTO segments
    SELECT trace, segment, node, id, start_us, end_us, response_us, duration_us, ok, error, throttle, fault, partial,
        inferred, root, status, method, url, client_ip, agent
    FROM later_segments;
DROP TABLE later_segments;
CREATE INDEX segments_node ON segments (node, trace, response_us, ok, error, throttle, fault, partial, inferred, root);
CREATE INDEX segments_fault ON segments (node, trace) WHERE fault;
CREATE INDEX segments_error ON segments (node, trace) WHERE error;

ALTER TABLE calls RENAME TO later_calls;
CREATE TABLE calls (
    trace INTEGER NOT NULL, call INTEGER NOT NULL, edge INTEGER NOT NULL, caller INTEGER, callee INTEGER,
    span INTEGER NOT NULL, alias TEXT, start_us INTEGER NOT NULL, end_us INTEGER, response_us INTEGER, age_us INTEGER,
    ok INTEGER NOT NULL, error INTEGER NOT NULL, throttle INTEGER NOT NULL, fault INTEGER NOT NULL,
    partial INTEGER NOT NULL, inferred INTEGER NOT NULL, status INTEGER, method TEXT, url TEXT,
    PRIMARY KEY (trace, call)
) WITHOUT ROWID;
INSERT INTO calls
    SELECT trace, call, edge, caller, callee, span, NULL, start_us, end_us, response_us, age_us, ok, error, throttle,
        fault, partial, inferred, NULL, NULL, NULL
    FROM later_calls;
DROP TABLE later_calls;
CREATE INDEX calls_edge ON calls (edge, trace, response_us, ok, error, throttle, fault, partial, inferred);
CREATE INDEX calls_fault ON calls (edge, trace) WHERE fault;
CREATE INDEX calls_error ON calls (edge, trace) WHERE error;

DROP TABLE urls;
DROP TABLE shapes;
DROP TABLE shape_segments;
DROP TABLE shape_calls;
DROP TABLE shape_keys;
DROP TABLE trace_minutes;
PRAGMA user_version = 2;
