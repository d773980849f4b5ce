CREATE TABLE project (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    title TEXT NOT NULL,
    licence TEXT NOT NULL,
    languages TEXT NOT NULL,
    zero_shot INTEGER NOT NULL,
    few_shot INTEGER NOT NULL,
    data_dir TEXT
) STRICT;

CREATE TABLE tasks (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    source TEXT NOT NULL,
    description TEXT NOT NULL,
    worked_example TEXT NOT NULL
) STRICT;

CREATE TABLE invitations (
    id TEXT PRIMARY KEY,
    pseudonym TEXT NOT NULL,
    folded TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('annotator', 'owner')),
    token_id TEXT NOT NULL,
    created TEXT NOT NULL,
    expires TEXT NOT NULL,
    revoked TEXT,
    agreed_at TEXT,
    licence TEXT
) STRICT;

CREATE TABLE wordings (
    id TEXT PRIMARY KEY,
    invitation_id TEXT NOT NULL REFERENCES invitations (id) ON DELETE CASCADE,
    task TEXT NOT NULL REFERENCES tasks (name),
    kind TEXT NOT NULL CHECK (kind IN ('zero-shot', 'few-shot')),
    place INTEGER NOT NULL CHECK (place >= 1),
    text TEXT NOT NULL,
    answer TEXT,
    form TEXT NOT NULL CHECK (form IN ('ask', 'template')),
    status TEXT NOT NULL CHECK (status IN ('draft', 'submitted', 'returned', 'accepted')),
    comment TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created TEXT NOT NULL,
    changed TEXT NOT NULL,
    UNIQUE (invitation_id, task, kind, place)
) STRICT;

CREATE TABLE revisions (
    wording_id TEXT NOT NULL REFERENCES wordings (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    action TEXT NOT NULL,
    text TEXT NOT NULL,
    answer TEXT,
    form TEXT NOT NULL,
    comment TEXT NOT NULL,
    by TEXT NOT NULL,
    at TEXT NOT NULL,
    base INTEGER,
    PRIMARY KEY (wording_id, number)
) STRICT;

CREATE TABLE events (
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL
) STRICT;
