"""Motion of a head and its expression over time: presets, from a video, retargeted to a portrait."""

from durian.motion.driving import Driving, driving_fps, from_video, read_driving
from durian.motion.fitting import RIGID_POINTS, fit_rigid, from_landmarks
from durian.motion.motion import Motion
from durian.motion.presets import PRESETS, preset
from durian.motion.retarget import drive, driven_landmarks

__all__ = [
    "PRESETS",
    "RIGID_POINTS",
    "Driving",
    "Motion",
    "drive",
    "driven_landmarks",
    "driving_fps",
    "fit_rigid",
    "from_landmarks",
    "from_video",
    "preset",
    "read_driving",
]
