"""The few exceptions that reach a visitor.

Each message is one plain sentence: what was given, what is accepted, what to do. The page shows it, the API
returns it, the log has the trace.
"""


class DurianError(Exception):
    """Something the visitor can understand and act on."""


class InvalidRequest(DurianError, ValueError):
    """An option, mask, click or combination that makes no sense."""


class UnreadableMedia(DurianError, ValueError):
    """A file that is not a picture or video we can read."""


class LimitExceeded(DurianError, ValueError):
    """A file or request beyond the limits in :mod:`durian.settings`."""


class NoFaceFound(DurianError, ValueError):
    """A picture or frame without a usable face."""


class WeightsMissing(DurianError, RuntimeError):
    """A model whose weights are not on this machine."""


class QueueFull(DurianError, RuntimeError):
    """Too many animations are waiting."""


class OutputFailed(DurianError, OSError):
    """A result could not be written, for example because the disk is full."""


class Cancelled(DurianError, RuntimeError):
    """The visitor (or a newer request) stopped this job."""
