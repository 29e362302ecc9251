"""Our exceptions. Each message says what is wrong, where, and what to do.

LemError
├── ConfigError         a setting, a seed file or the curriculum can't be used
├── RecordTooLarge      an event is too large for a log
├── UnreadableRecord    a record is no event that this lem knows
│   └── MissingRecord   a record names another that is not on the log, or can't be read
├── LogError            the log can't be opened, read or written
│   └── GroupTaken      another worker of the same group is running
├── PublishError        a hub does not take a dataset
└── ModelError          a model can't be opened
    ├── BudgetSpent     a run may cost no more
    ├── ModelSilent     a model gave no answer, after every try
    └── RequestRefused  a model takes other requests, but not this one
"""


class LemError(Exception):
    """A mistake that a person can mend; shown as one line, without a traceback."""


class ConfigError(LemError):
    """A setting, a seed file or the curriculum can't be used."""


class RecordTooLarge(LemError):
    """An event is too large for a log."""


class UnreadableRecord(LemError):
    """A record is no event that this lem knows."""


class MissingRecord(UnreadableRecord):
    """A record names another that is not on the log, or can't be read."""


class LogError(LemError):
    """The log can't be opened, read or written."""


class GroupTaken(LogError):
    """Another worker of the same consumer group is running."""


class PublishError(LemError):
    """A hub does not take a dataset."""


class ModelError(LemError):
    """A model can't be opened."""


class BudgetSpent(ModelError):
    """A run may cost no more."""


class ModelSilent(ModelError):
    """A model gave no answer, after every try."""


class RequestRefused(ModelError):
    """A model takes other requests, but not this one."""
