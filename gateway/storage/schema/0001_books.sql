-- The books of one store. The journal is the truth; every other table here is a projection of it, written in the
-- same transaction, and can be built again from it.

-- One immutable row for each business fact. hash = SHA-256(prev_hash, seq, at, kind, body): see ledger/chain.py.
CREATE TABLE journal (
    seq       INTEGER PRIMARY KEY,
    at        INTEGER NOT NULL,          -- milliseconds UTC, never less than the row before
    kind      TEXT    NOT NULL,
    body      TEXT    NOT NULL,          -- JSON, exactly as hashed
    prev_hash BLOB    NOT NULL,
    hash      BLOB    NOT NULL
) STRICT;

-- Who issued a document stands in the newest of these rows before it: found at once, after years too.
CREATE INDEX journal_issuers ON journal (seq) WHERE kind = 'issuer_declared';

-- Who may allocate. One row. A writer that holds another epoch than this row is stale and cannot commit (I5).
CREATE TABLE tenure (
    only      INTEGER PRIMARY KEY CHECK (only = 1),
    store     TEXT    NOT NULL,
    epoch     TEXT    NOT NULL,          -- made with the file; a restored file gets a new one
    country   TEXT    NOT NULL,
    currency  TEXT    NOT NULL,
    exponent  INTEGER NOT NULL,
    issuer    INTEGER NOT NULL,          -- seq of the issuer_declared row in force
    lock      TEXT                       -- why allocation is locked (I6), null when it is not
) STRICT;

-- Where each sequence stands.
CREATE TABLE series (
    key         TEXT    PRIMARY KEY,
    last_number INTEGER NOT NULL,        -- the next one is this plus one
    high_number INTEGER NOT NULL,        -- the highest of this wrap; a till that saw more locks the series (I6)
    last_date   TEXT    NOT NULL,        -- fiscal date of the last document; empty before the first
    wrap        INTEGER NOT NULL,        -- how often the correlative began again at 1
    range       TEXT    NOT NULL,        -- id of the active range; empty when there is none
    locked_by   INTEGER                  -- number a till saw that the journal does not hold (I6)
) STRICT, WITHOUT ROWID;

-- Authorised ranges, in the order in which they were loaded.
CREATE TABLE ranges (
    position       INTEGER PRIMARY KEY,
    id             TEXT    NOT NULL UNIQUE,
    series         TEXT    NOT NULL,
    wrap           INTEGER NOT NULL,
    authority_kind TEXT    NOT NULL,
    authority_ref  TEXT    NOT NULL,
    first          INTEGER NOT NULL,
    last           INTEGER NOT NULL,
    valid_from     TEXT    NOT NULL,     -- local dates, inclusive; empty where the authority gives none
    valid_until    TEXT    NOT NULL,
    state          TEXT    NOT NULL      -- loaded, active, exhausted, expired, cancelled
) STRICT;
CREATE INDEX ranges_by_series ON ranges (series, position);

-- One row for each number ever given. The snapshot itself is the body of journal row seq.
CREATE TABLE documents (
    seq         INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE, -- made by the till; the key under which a request is repeated
    digest      BLOB    NOT NULL,        -- SHA-256 of the request: the same id with another body is refused
    series      TEXT    NOT NULL,
    wrap        INTEGER NOT NULL,
    number      INTEGER NOT NULL,
    type        TEXT    NOT NULL,
    status      TEXT    NOT NULL,        -- issued, void
    void_seq    INTEGER,
    void_digest BLOB,
    UNIQUE (series, number, wrap)        -- I1, whatever the decision thought
) STRICT;

-- How much of each line of a document has been credited (I9).
CREATE TABLE credits (
    document TEXT    NOT NULL,
    line     INTEGER NOT NULL,
    quantity INTEGER NOT NULL,           -- thousandths
    amount   INTEGER NOT NULL,           -- minor units
    PRIMARY KEY (document, line)
) STRICT, WITHOUT ROWID;

-- The same by tax code, as printed on the credit notes that stand.
CREATE TABLE credited_taxes (
    document TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    base     INTEGER NOT NULL,           -- minor units
    amount   INTEGER NOT NULL,
    PRIMARY KEY (document, code)
) STRICT, WITHOUT ROWID;

-- on_hand is the sum of the movements in the journal and nothing else.
CREATE TABLE stock (
    sku     TEXT    PRIMARY KEY,
    on_hand INTEGER NOT NULL,            -- thousandths
    seq     INTEGER NOT NULL             -- journal row of the last movement
) STRICT, WITHOUT ROWID;

-- Movements that are not part of a document, by the id under which they may be repeated.
CREATE TABLE movements (
    id     TEXT    PRIMARY KEY,
    digest BLOB    NOT NULL,
    seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
