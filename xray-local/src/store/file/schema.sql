-- The one file that xray-local keeps, version 3 (`PRAGMA user_version`).
--
-- Conventions
--   *_us        microseconds: since 1970 for a point in time, otherwise a length
--   trace       a trace's key (`traces.key`). Keys are in time order: (epoch second << 31) + 31 bits of the trace id.
--               The second is that of the trace id, or that of the first start where the id's is no time (W3C ids).
--               So every index that ends in `trace` lists the newest traces of a value last, a time range of
--               trace ids is a range of keys, and a page is a walk backwards.
--   segment     a segment's number within its trace, counted from 0, compiled and inferred segments alike
--   node        a service: `nodes.id`
--   ok, error, throttle, fault, partial, inferred: 0 or 1. `error` is set with `throttle` (429 is a 4xx).
--   A text that is absent is NULL, but in keys of uniqueness, where it is ''.

-- ---------------------------------------------------------------- documents, as they were received

-- Documents that arrived together, compressed together. `live` counts the rows of `documents` that lie in a block;
-- a block without any is deleted.
CREATE TABLE blocks (
    id      INTEGER PRIMARY KEY,
    codec   INTEGER NOT NULL,           -- 0 as is, 1 lz4 block
    size    INTEGER NOT NULL,           -- bytes when decompressed
    live    INTEGER NOT NULL,
    bytes   BLOB NOT NULL
);

-- `number` counts a trace's documents in order of arrival.
CREATE TABLE documents (
    trace   INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    block   INTEGER NOT NULL,
    at      INTEGER NOT NULL,           -- first byte in the decompressed block
    length  INTEGER NOT NULL,
    PRIMARY KEY (trace, number)
) WITHOUT ROWID;

-- ---------------------------------------------------------------- names that repeat

CREATE TABLE nodes (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    type    TEXT NOT NULL DEFAULT '',   -- `origin`; 'client' for callers of root segments
    account TEXT NOT NULL DEFAULT '',
    UNIQUE (name, type, account)
);

-- One connection of the map. `kind`: 0 a call, 1 a link (SQS queue to its consumer).
CREATE TABLE edges (
    id      INTEGER PRIMARY KEY,
    source  INTEGER NOT NULL,
    target  INTEGER NOT NULL,
    kind    INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, target, kind)
);

CREATE TABLE agents (
    id      INTEGER PRIMARY KEY,
    agent   TEXT NOT NULL UNIQUE
);

-- URLs of root segments. Those that no trace has any more are deleted by and by.
CREATE TABLE urls (
    id      INTEGER PRIMARY KEY,
    url     TEXT NOT NULL UNIQUE
);

CREATE TABLE annotation_keys (
    id      INTEGER PRIMARY KEY,
    key     TEXT NOT NULL UNIQUE
);

-- ---------------------------------------------------------------- shapes

-- What many traces have in common: the flags, status and method of the trace, of its segments and of its calls, and which
-- values are set; each combination once. Traces are many and their shapes few, so a condition on these alone, negated or not, is evaluated
-- on shapes; `traces_shape` lists the traces of each in order of their keys. A shape never changes; those that no
-- trace has any more are deleted by and by.
CREATE TABLE shapes (
    id       INTEGER PRIMARY KEY,
    name     BLOB NOT NULL UNIQUE,      -- everything that is in it, see store/traces/shape.rs
    ok       INTEGER NOT NULL,          -- columns of the same names in `traces`
    error    INTEGER NOT NULL,
    throttle INTEGER NOT NULL,
    fault    INTEGER NOT NULL,
    partial  INTEGER NOT NULL,
    inferred INTEGER NOT NULL,
    status   INTEGER,
    method   TEXT,
    user     INTEGER NOT NULL,          -- any segment has a user; the same for the next three
    zone     INTEGER NOT NULL,
    instance INTEGER NOT NULL,
    resource INTEGER NOT NULL
);

-- Annotations that any segment has, those that are false alone left out.
CREATE TABLE shape_keys (
    shape    INTEGER NOT NULL,
    key      INTEGER NOT NULL,          -- annotation_keys.id
    PRIMARY KEY (shape, key)
) WITHOUT ROWID;

-- Columns have the names of those in `segments`. `part` counts within the shape.
CREATE TABLE shape_segments (
    shape    INTEGER NOT NULL,
    node     INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    ok       INTEGER NOT NULL,
    error    INTEGER NOT NULL,
    throttle INTEGER NOT NULL,
    fault    INTEGER NOT NULL,
    partial  INTEGER NOT NULL,
    inferred INTEGER NOT NULL,
    root     INTEGER NOT NULL,
    status   INTEGER,
    method   TEXT,
    PRIMARY KEY (shape, node, part)
) WITHOUT ROWID;

-- Columns have the names of those in `calls`.
CREATE TABLE shape_calls (
    shape    INTEGER NOT NULL,
    edge     INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    ok       INTEGER NOT NULL,
    error    INTEGER NOT NULL,
    throttle INTEGER NOT NULL,
    fault    INTEGER NOT NULL,
    partial  INTEGER NOT NULL,
    inferred INTEGER NOT NULL,
    PRIMARY KEY (shape, edge, part)
) WITHOUT ROWID;

-- ---------------------------------------------------------------- traces

-- The facts of trace level: what a summary holds and what a simple keyword of a filter expression asks for.
CREATE TABLE traces (
    key         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,   -- 16 bytes, big-endian
    revision    INTEGER NOT NULL,       -- 1, then one more for each compilation
    start_us    INTEGER NOT NULL,       -- earliest start
    end_us      INTEGER NOT NULL,       -- latest end; what is in progress counts as ended when it started
    duration_us INTEGER NOT NULL,       -- end_us - start_us
    response_us INTEGER,                -- of the root segment; NULL without one, or while it is in progress
    ok          INTEGER NOT NULL,       -- a root segment is there, and has neither error nor fault
    error       INTEGER NOT NULL,       -- of the root segment
    fault       INTEGER NOT NULL,       -- of the root segment
    throttle    INTEGER NOT NULL,       -- of the root segment: the keyword `throttle`
    throttled   INTEGER NOT NULL,       -- of any segment: HasThrottle
    partial     INTEGER NOT NULL,       -- any segment is in progress
    inferred    INTEGER NOT NULL,       -- any segment is inferred
    root        INTEGER,                -- node of the root segment; NULL while it is not known
    status      INTEGER,                -- http.response.status of the root segment
    method      TEXT,
    url         INTEGER,                -- urls.id
    client_ip   TEXT,
    agent       INTEGER,                -- agents.id
    segments    INTEGER NOT NULL,       -- segments and subsegments, nested ones too; inferred ones not counted
    documents   INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,       -- of all documents
    received_us INTEGER NOT NULL,       -- arrival of the latest document
    over_limit  INTEGER NOT NULL,       -- LimitExceeded
    shape       INTEGER NOT NULL        -- shapes.id
);
CREATE INDEX traces_shape ON traces (shape, key);
CREATE INDEX traces_response ON traces (response_us, key);
CREATE INDEX traces_duration ON traces (duration_us, key);
CREATE INDEX traces_url ON traces (url, key);
CREATE INDEX traces_client_ip ON traces (client_ip, key);
CREATE INDEX traces_agent ON traces (agent, key);
CREATE INDEX traces_start ON traces (start_us, end_us, key);
CREATE INDEX traces_received ON traces (received_us, key);   -- retention deletes the oldest arrivals

-- Traces whose key's second lies in the minute (epoch minutes), so that a range need not be walked to count them.
CREATE TABLE trace_minutes (
    minute  INTEGER PRIMARY KEY,
    traces  INTEGER NOT NULL
);

-- Compiled and inferred segments: `service(…) { … }`, node statistics. Those of a node lie together, in order of the
-- traces. Those of a trace are found by the nodes of its shape.
CREATE TABLE segments (
    trace       INTEGER NOT NULL,
    segment     INTEGER NOT NULL,
    node        INTEGER NOT NULL,
    id          INTEGER NOT NULL,       -- the segment id's 64 bits
    start_us    INTEGER NOT NULL,
    end_us      INTEGER,                -- NULL while in progress
    response_us INTEGER,                -- end_us - start_us
    duration_us INTEGER,                -- to the last end of what is in it, asynchronous subsegments included
    ok          INTEGER NOT NULL,
    error       INTEGER NOT NULL,
    throttle    INTEGER NOT NULL,
    fault       INTEGER NOT NULL,
    partial     INTEGER NOT NULL,
    inferred    INTEGER NOT NULL,
    root        INTEGER NOT NULL,       -- has no parent_id
    status      INTEGER,
    method      TEXT,
    url         TEXT,
    client_ip   TEXT,
    agent       INTEGER,
    PRIMARY KEY (node, trace, segment)
) WITHOUT ROWID;

-- Calls from one node to another: the caller's subsegments; for an edge from a client, the root segment.
-- `edge(…) { … }`, edge statistics. `call` counts within the trace. In the order of segments, by the shape's edges.
CREATE TABLE calls (
    trace       INTEGER NOT NULL,
    call        INTEGER NOT NULL,
    edge        INTEGER NOT NULL,
    caller      INTEGER,                -- segment that called; NULL for a client
    callee      INTEGER,                -- segment that was called; NULL while it is not known
    span        INTEGER NOT NULL,       -- id of the caller's subsegment; of the root segment, for a client
    alias       TEXT,                   -- the caller's name for the callee, where that differs from the node's
    start_us    INTEGER NOT NULL,
    end_us      INTEGER,
    response_us INTEGER,
    age_us      INTEGER,                -- links only: age of the event when it was received
    ok          INTEGER NOT NULL,
    error       INTEGER NOT NULL,
    throttle    INTEGER NOT NULL,
    fault       INTEGER NOT NULL,
    partial     INTEGER NOT NULL,
    inferred    INTEGER NOT NULL,
    PRIMARY KEY (edge, trace, call)
) WITHOUT ROWID;

-- `kind`: 0 boolean (value 0 or 1), 1 number (REAL), 2 string (TEXT). At most 50 keys of a trace are here.
CREATE TABLE annotations (
    trace       INTEGER NOT NULL,
    key         INTEGER NOT NULL,       -- annotation_keys.id
    kind        INTEGER NOT NULL,
    value       NOT NULL,
    segment     INTEGER NOT NULL,       -- segment that set it, in itself or in a subsegment
    PRIMARY KEY (trace, key, kind, value, segment)
) WITHOUT ROWID;
CREATE INDEX annotations_value ON annotations (key, kind, value, trace, segment);

CREATE TABLE users (
    trace       INTEGER NOT NULL,
    user        TEXT NOT NULL,
    segment     INTEGER NOT NULL,
    PRIMARY KEY (trace, user, segment)
) WITHOUT ROWID;
CREATE INDEX users_user ON users (user, trace);

-- `kind`: 0 availability zone, 1 instance id, 2 resource ARN.
CREATE TABLE places (
    trace       INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    value       TEXT NOT NULL,
    segment     INTEGER NOT NULL,
    PRIMARY KEY (trace, kind, value, segment)
) WITHOUT ROWID;
CREATE INDEX places_value ON places (kind, value, trace, segment);

-- Links to other traces, from `links`.
CREATE TABLE links (
    trace       INTEGER NOT NULL,
    segment     INTEGER NOT NULL,
    span        INTEGER NOT NULL,       -- id of the segment or subsegment with the link
    linked      BLOB NOT NULL,          -- trace id, 16 bytes
    linked_span INTEGER NOT NULL,
    PRIMARY KEY (trace, segment, span, linked, linked_span)
) WITHOUT ROWID;
CREATE INDEX links_linked ON links (linked, trace);

-- Traces of a group, as they were when they were stored.
CREATE TABLE trace_groups (
    grp         INTEGER NOT NULL,       -- groups.number
    trace       INTEGER NOT NULL,
    PRIMARY KEY (grp, trace)
) WITHOUT ROWID;
CREATE INDEX trace_groups_trace ON trace_groups (trace, grp);

-- ---------------------------------------------------------------- root causes

-- Paths repeat from trace to trace, so each is kept once. `kind`: 0 fault, 1 error, 2 response time.
-- `json` is the root cause in the API's form, without Coverage.
CREATE TABLE cause_paths (
    id      INTEGER PRIMARY KEY,
    kind    INTEGER NOT NULL,
    json    TEXT NOT NULL,
    UNIQUE (json, kind)
);

-- `service` counts a path's services from 0, outermost first; `last` marks the deepest.
CREATE TABLE cause_services (
    path     INTEGER NOT NULL,
    service  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    type     TEXT,
    account  TEXT,
    inferred INTEGER NOT NULL,
    root     INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (path, service)
) WITHOUT ROWID;

-- `entity` counts within its service, `number` over the whole path: the position in `trace_causes.coverage`.
-- `last` marks the path's deepest entity, `first` its outermost.
CREATE TABLE cause_entities (
    path     INTEGER NOT NULL,
    service  INTEGER NOT NULL,
    entity   INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    name     TEXT NOT NULL,
    remote   INTEGER NOT NULL,
    inferred INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (path, service, entity)
) WITHOUT ROWID;

CREATE TABLE cause_exceptions (
    path      INTEGER NOT NULL,
    service   INTEGER NOT NULL,
    entity    INTEGER NOT NULL,
    exception INTEGER NOT NULL,         -- position in the entity's chain, outermost first
    name      TEXT NOT NULL,
    message   TEXT NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    PRIMARY KEY (path, service, entity, exception)
) WITHOUT ROWID;

-- `coverage`: two bytes for each entity of the path, big-endian thousandths of the root's time, in order of
-- `cause_entities.number`; empty for faults and errors.
CREATE TABLE trace_causes (
    trace    INTEGER NOT NULL,
    path     INTEGER NOT NULL,
    coverage BLOB NOT NULL,
    PRIMARY KEY (trace, path)
) WITHOUT ROWID;
CREATE INDEX trace_causes_path ON trace_causes (path, trace, coverage);

-- ---------------------------------------------------------------- the map, per minute

-- Completed segments that started in the minute (epoch minutes). `grp` 0 counts all traces, another number the
-- traces of that group. Histograms: see store/histogram.rs; values are whole milliseconds.
CREATE TABLE node_minutes (
    grp      INTEGER NOT NULL,
    minute   INTEGER NOT NULL,
    node     INTEGER NOT NULL,
    ok       INTEGER NOT NULL,
    error    INTEGER NOT NULL,          -- without throttle and fault
    throttle INTEGER NOT NULL,
    fault    INTEGER NOT NULL,
    time_us  INTEGER NOT NULL,          -- sum of response times
    root     INTEGER NOT NULL,          -- how many were root segments
    inferred INTEGER NOT NULL,          -- how many were inferred
    first_us INTEGER NOT NULL,          -- earliest start
    last_us  INTEGER NOT NULL,          -- latest end
    durations BLOB NOT NULL,
    responses BLOB NOT NULL,
    PRIMARY KEY (grp, minute, node)
) WITHOUT ROWID;

CREATE TABLE edge_minutes (
    grp      INTEGER NOT NULL,
    minute   INTEGER NOT NULL,
    edge     INTEGER NOT NULL,
    ok       INTEGER NOT NULL,
    error    INTEGER NOT NULL,
    throttle INTEGER NOT NULL,
    fault    INTEGER NOT NULL,
    time_us  INTEGER NOT NULL,
    first_us INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    responses BLOB NOT NULL,
    ages     BLOB NOT NULL,             -- links only: ReceivedEventAgeHistogram
    PRIMARY KEY (grp, minute, edge)
) WITHOUT ROWID;

CREATE TABLE edge_aliases (
    edge     INTEGER NOT NULL,
    alias    TEXT NOT NULL,
    PRIMARY KEY (edge, alias)
) WITHOUT ROWID;

-- ---------------------------------------------------------------- what the API keeps

CREATE TABLE sampling_rules (
    name        TEXT PRIMARY KEY,
    arn         TEXT NOT NULL UNIQUE,
    priority    INTEGER NOT NULL,
    rule        TEXT NOT NULL,          -- the API's SamplingRule, as JSON
    created_us  INTEGER NOT NULL,
    modified_us INTEGER NOT NULL
);

-- Ten seconds of one rule, over all clients: GetSamplingStatisticSummaries.
CREATE TABLE sampling_windows (
    rule     TEXT NOT NULL,
    at       INTEGER NOT NULL,          -- epoch seconds, a multiple of 10
    requests INTEGER NOT NULL,
    borrowed INTEGER NOT NULL,
    sampled  INTEGER NOT NULL,
    PRIMARY KEY (rule, at)
) WITHOUT ROWID;
CREATE INDEX sampling_windows_at ON sampling_windows (at);

CREATE TABLE groups (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL UNIQUE,
    arn         TEXT NOT NULL UNIQUE,
    expression  TEXT NOT NULL,
    insights    TEXT NOT NULL,          -- InsightsConfiguration, as JSON
    created_us  INTEGER NOT NULL,
    modified_us INTEGER NOT NULL        -- of the expression: ContainsOldGroupVersions
);

CREATE TABLE tags (
    arn     TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (arn, key)
) WITHOUT ROWID;

CREATE TABLE resource_policies (
    name       TEXT PRIMARY KEY,
    document   TEXT NOT NULL,
    revision   TEXT NOT NULL,
    updated_us INTEGER NOT NULL
);

-- Encryption config, destination, indexing rule, and the like: one JSON text each.
CREATE TABLE settings (
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL
);

CREATE TABLE retrievals (
    token      TEXT PRIMARY KEY,
    request    TEXT NOT NULL,
    status     TEXT NOT NULL,
    created_us INTEGER NOT NULL
);

CREATE TABLE telemetry (
    received_us INTEGER NOT NULL,
    sender      TEXT NOT NULL,
    record      TEXT NOT NULL           -- one TelemetryRecord, as JSON
);
CREATE INDEX telemetry_received ON telemetry (received_us);

-- ---------------------------------------------------------------- access

CREATE TABLE identities (
    name       TEXT NOT NULL,
    kind       TEXT NOT NULL,           -- 'user' or 'role'
    id         TEXT NOT NULL UNIQUE,    -- AIDA…, AROA…
    arn        TEXT NOT NULL UNIQUE,
    trust      TEXT,                    -- a role's trust policy
    boundary   TEXT,                    -- permission boundary: a policy document
    tags       TEXT NOT NULL DEFAULT '{}',
    created_us INTEGER NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Long-lived keys (AKIA…) and those of sessions (ASIA…).
CREATE TABLE access_keys (
    id         TEXT PRIMARY KEY,
    secret     TEXT NOT NULL,
    owner      TEXT NOT NULL,           -- identities.arn
    token      TEXT,                    -- session token
    session    TEXT,                    -- role session name
    policy     TEXT,                    -- session policy
    created_us INTEGER NOT NULL,
    expires_us INTEGER
);
CREATE INDEX access_keys_owner ON access_keys (owner);

-- A policy of an identity: attached by name (document NULL: a managed one) or inline.
CREATE TABLE identity_policies (
    owner    TEXT NOT NULL,
    name     TEXT NOT NULL,
    document TEXT,
    PRIMARY KEY (owner, name)
) WITHOUT ROWID;

CREATE TABLE decisions (
    id        INTEGER PRIMARY KEY,
    at_us     INTEGER NOT NULL,
    door      TEXT NOT NULL,            -- 'api', 'daemon', 'console'
    mode      TEXT NOT NULL,            -- 'off', 'warn', 'enforce'
    principal TEXT NOT NULL,
    action    TEXT NOT NULL,
    resource  TEXT NOT NULL,
    allowed   INTEGER NOT NULL,
    policy    TEXT,                     -- policy whose statement decided
    statement TEXT,                     -- that statement, as JSON; NULL for an implicit deny
    reason    TEXT NOT NULL,
    count     INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX decisions_at ON decisions (at_us);
-- Finds the row that an equal decision is added to, however many others its minute has.
CREATE INDEX decisions_equal ON decisions (principal, action, resource, at_us);

-- ---------------------------------------------------------------- what went wrong with documents

-- `severity`: 0 refused, 1 dropped in part, 2 a remark. Equal problems within a minute are one row.
CREATE TABLE problems (
    id       INTEGER PRIMARY KEY,
    first_us INTEGER NOT NULL,
    last_us  INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    door     TEXT NOT NULL,             -- 'udp', 'daemon', 'api', 'import'
    severity INTEGER NOT NULL,
    code     TEXT NOT NULL,             -- the service's code, or ''
    path     TEXT NOT NULL,             -- place in the document, or ''
    message  TEXT NOT NULL,
    service  TEXT NOT NULL,             -- name in the document, or ''
    trace    BLOB,                      -- trace id where it can be read
    excerpt  TEXT NOT NULL              -- first bytes of the document
);
CREATE INDEX problems_last ON problems (last_us);

-- Sums since the file was made: datagrams, documents, refused, dropped by the kernel, lost to a full disk, …
CREATE TABLE counters (
    name    TEXT PRIMARY KEY,
    value   INTEGER NOT NULL
) WITHOUT ROWID;
