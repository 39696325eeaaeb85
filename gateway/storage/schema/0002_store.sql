-- What the store knows beside its books.

-- Paired tills. The name is the till's identity in documents, topics and logs.
CREATE TABLE tills (
    name       TEXT    PRIMARY KEY,
    token_hash BLOB    NOT NULL UNIQUE,  -- SHA-256 of the token; the token itself is nowhere
    mqtt_hash  TEXT    NOT NULL,         -- salted hash of the MQTT password, in the broker's own form
    model      TEXT    NOT NULL,
    paired_at  INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- One pairing code at a time: short life, few tries.
CREATE TABLE pairing_codes (
    code_hash  BLOB    PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The catalogue that tills see. A change of version is one transaction: tills see n or n + 1, never between.
CREATE TABLE products (
    sku             TEXT    PRIMARY KEY,
    name            TEXT    NOT NULL,
    barcode         TEXT,
    unit_price      INTEGER NOT NULL,    -- minor units, tax included
    tax             TEXT    NOT NULL,
    policy          TEXT    NOT NULL CHECK (policy IN ('tracked', 'always_available')),
    sell_below_zero INTEGER NOT NULL CHECK (sell_below_zero IN (0, 1)),
    price_list      TEXT    NOT NULL,
    version         INTEGER NOT NULL,    -- catalogue version that last changed the row
    deleted         INTEGER NOT NULL DEFAULT 0 CHECK (deleted IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX products_by_version ON products (version, sku);
CREATE INDEX products_by_barcode ON products (barcode) WHERE barcode IS NOT NULL;

CREATE TABLE catalogue (
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO catalogue VALUES (1, 0);

-- One print or kick. `state` turns only as gateway/devices/jobs.py says; a job found in 'sending' or 'held' after a
-- restart is 'unknown', never 'queued'.
CREATE TABLE jobs (
    position   INTEGER PRIMARY KEY,      -- order of arrival; a device takes the lowest first
    id         TEXT    NOT NULL UNIQUE,  -- made by the till; the key under which a request is repeated
    digest     BLOB    NOT NULL,         -- SHA-256 of what was asked: the same id with another digest is refused
    kind       TEXT    NOT NULL,         -- receipt, text, kick
    device     TEXT    NOT NULL,
    till       TEXT    NOT NULL,
    document   TEXT,                     -- the document a receipt shows
    body       TEXT    NOT NULL,         -- JSON
    state      TEXT    NOT NULL,
    detail     TEXT    NOT NULL,         -- a code: why it waits, failed or is not known; empty when there is nothing to say
    settled_by TEXT,                     -- the person who said what became of an unknown job
    created_at INTEGER NOT NULL,
    deadline   INTEGER,                  -- milliseconds UTC; not a byte is sent later than this
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_open ON jobs (device, position) WHERE state IN ('queued', 'sending', 'held', 'unknown');
CREATE INDEX jobs_by_document ON jobs (document) WHERE document IS NOT NULL;

-- Events for tills, published until the till has acknowledged their number. Numbers are never used twice.
CREATE TABLE job_events (
    ev_seq INTEGER PRIMARY KEY AUTOINCREMENT,
    till   TEXT    NOT NULL,
    job    TEXT    NOT NULL,
    state  TEXT    NOT NULL,
    detail TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX job_events_by_till ON job_events (till, ev_seq);

-- How far each other side has come. 'push': journal rows head office has acknowledged. 'pull': head-office rows applied.
-- 'fork': the answer of head office that locked the books. 'mode': working offline by hand (value: until, 0 for ever).
CREATE TABLE cursors (
    name  TEXT    PRIMARY KEY,
    value INTEGER NOT NULL,
    note  TEXT    NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Parts of a catalogue change that are here before the last one is; tills see none of them until all are valid.
CREATE TABLE staged_parts (
    version INTEGER NOT NULL,            -- head office's number of the change
    part    INTEGER NOT NULL,
    body    TEXT    NOT NULL,            -- JSON, checked
    PRIMARY KEY (version, part)
) STRICT, WITHOUT ROWID;

-- Head-office rows that were skipped, until head office has been told why.
CREATE TABLE refused_orders (
    seq    INTEGER PRIMARY KEY,
    code   TEXT    NOT NULL,
    detail TEXT    NOT NULL
) STRICT;

-- Small facts that must outlive a restart (gateway epoch for MQTT, last rate measured, ...).
CREATE TABLE notes (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
