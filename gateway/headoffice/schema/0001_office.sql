-- The reference head office. Every key starts with the store. The journal is the truth; documents and stock are
-- projections of it, written in the same transaction.

CREATE TABLE stores (
    store             TEXT    PRIMARY KEY,
    token_hash        BLOB    NOT NULL UNIQUE, -- SHA-256 of the token; the token itself is nowhere
    added_at          INTEGER NOT NULL,        -- milliseconds UTC
    orders_last       INTEGER NOT NULL DEFAULT 0,
    orders_applied    INTEGER NOT NULL DEFAULT 0,
    catalogue_version INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- One code at a time for each store; using it makes a new token and ends the former one.
CREATE TABLE enrol_codes (
    store      TEXT    PRIMARY KEY,
    code_hash  BLOB    NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Tokens of people and programs at head office.
CREATE TABLE tokens (
    token_hash BLOB    PRIMARY KEY,
    role       TEXT    NOT NULL CHECK (role IN ('reader', 'writer')),
    made_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each store's stream stands. A hello raises session; only the newest one may store rows.
CREATE TABLE cursors (
    store   TEXT    PRIMARY KEY,
    epoch   TEXT,                              -- null before the first row
    next    INTEGER NOT NULL,                  -- the row wanted next
    hash    BLOB    NOT NULL,                  -- of the row before it
    session INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The stores' journals as they were sent; a row's prev_hash is the hash of the row before.
CREATE TABLE journal (
    store TEXT    NOT NULL,
    epoch TEXT    NOT NULL,
    seq   INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    kind  TEXT    NOT NULL,
    body  TEXT    NOT NULL,                    -- JSON, exactly as hashed
    hash  BLOB    NOT NULL,
    PRIMARY KEY (store, epoch, seq)
) STRICT;

-- No uniqueness of numbers here: a store that numbered twice must be seen (verify), not silenced.
CREATE TABLE documents (
    store     TEXT    NOT NULL,
    epoch     TEXT    NOT NULL,
    seq       INTEGER NOT NULL,                -- journal row that holds the snapshot
    id        TEXT    NOT NULL,
    series    TEXT    NOT NULL,
    number    INTEGER NOT NULL,
    formatted TEXT    NOT NULL,
    void_seq  INTEGER,                         -- journal row that voided it
    PRIMARY KEY (store, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX documents_by_id ON documents (store, epoch, id);
CREATE INDEX documents_by_number ON documents (store, epoch, series, number);

CREATE TABLE stock (
    store   TEXT    NOT NULL,
    epoch   TEXT    NOT NULL,
    sku     TEXT    NOT NULL,
    on_hand INTEGER NOT NULL,                  -- thousandths: the sum of all movements
    seq     INTEGER NOT NULL,                  -- journal row of the last movement
    PRIMARY KEY (store, epoch, sku)
) STRICT, WITHOUT ROWID;

-- What a store said last about itself; another epoch than the stream's is a copy of the store.
CREATE TABLE heartbeats (
    store    TEXT    NOT NULL,
    epoch    TEXT    NOT NULL,
    heard_at INTEGER NOT NULL,
    body     TEXT    NOT NULL,                 -- JSON
    PRIMARY KEY (store, epoch)
) STRICT, WITHOUT ROWID;

-- What head office decided for a store, in order. key: the id under which it may be asked for again.
CREATE TABLE orders (
    store  TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    digest BLOB    NOT NULL,
    body   TEXT    NOT NULL,                   -- JSON
    at     INTEGER NOT NULL,
    state  TEXT    NOT NULL DEFAULT 'waiting', -- waiting, applied, refused
    code   TEXT    NOT NULL DEFAULT '',        -- why it was refused
    detail TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (store, seq)
) STRICT;
CREATE UNIQUE INDEX orders_by_key ON orders (store, kind, key);
