"""The in-process engine: one queue for animations, a lane for stills, progress, cancel, files and memory."""

from durian.engine.engine import Engine, get_engine
from durian.engine.jobs import Estimate, Job, JobStatus
from durian.engine.postprocess import usual_bytes
from durian.engine.run_job import Animation, describe

__all__ = ["Animation", "Engine", "Estimate", "Job", "JobStatus", "describe", "get_engine", "usual_bytes"]
