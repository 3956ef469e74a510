"""Faces: MediaPipe landmarks, the choice among several faces, crops, and back to the uncropped photo."""

from durian.face.checks import PORTRAIT_MAX_ROLL, check_face, require_face
from durian.face.crop import Crop, check_crop, default_crop, paste_back
from durian.face.detection import detect_faces
from durian.face.geometry import FACE_OVAL, LANDMARKS, OUTER_EYES, Face, eye_distance
from durian.face.models import hand_landmarks
from durian.face.tracking import track_faces

__all__ = [
    "FACE_OVAL",
    "LANDMARKS",
    "OUTER_EYES",
    "PORTRAIT_MAX_ROLL",
    "Crop",
    "Face",
    "check_crop",
    "check_face",
    "default_crop",
    "detect_faces",
    "eye_distance",
    "hand_landmarks",
    "paste_back",
    "require_face",
    "track_faces",
]
