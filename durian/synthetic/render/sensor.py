"""A camera's imaging, from light to a picture: lens, sensor, processing, compression."""

from __future__ import annotations

import math

import numpy as np

from durian.synthetic.backdrops.painting import defocused
from durian.synthetic.base.person import Sensor
from durian.synthetic.render.tone import develop

LUMA = (0.299, 0.587, 0.114)
"""Of encoded RGB (ITU-R BT.601)."""
MIRED = 0.0035
"""Change of the red channel's logarithm per mired of white balance; blue's is the opposite (Planck's law near
5500 K)."""
SPREAD = np.array([0.23, 0.54, 0.23], np.float32)
"""Spread of one photosite's noise by demosaicing: weights of neighbours along a line."""
SHARED = 0.5
"""Share of the noise that red, green and blue have in common after demosaicing."""
HALO = 0.0035
"""Radius over which sharpening looks for edges, share of the picture's side; at least 0.7 pixels."""
LEAST_SIDE = 8
"""Pixels that are left at least where a picture loses resolution."""


def expose(light: np.ndarray, sensor: Sensor, frame: int = 0) -> np.ndarray:
    """The picture that a camera takes.

    Args:
        light: ``(S, S, 3) float32`` linear.
        sensor: the camera.
        frame: number in its film; noise follows from it and the sensor's seed.

    Returns:
        ``(S, S, 3) uint8`` RGB.
    """
    light = _through_lens(light, sensor)
    gain = np.exp([MIRED * sensor.warmth, math.log1p(sensor.tint), -MIRED * sensor.warmth]) * 2**sensor.exposure
    if (gain != 1).any():
        light = light * gain.astype(np.float32)
    if sensor.shot > 0 or sensor.read > 0:
        light = _noisy(light, sensor, np.random.default_rng([sensor.seed, frame]))
    encoded = _sharpened(_styled(develop(light), sensor), sensor)
    encoded = _smaller_and_larger(encoded, sensor.resolution)
    return _compressed((255 * np.clip(encoded, 0, 1) + 0.5).astype(np.uint8), sensor.jpeg)


def _through_lens(light: np.ndarray, sensor: Sensor) -> np.ndarray:
    import cv2

    side = len(light)
    if sensor.defocus > 0:
        light = defocused(light, sensor.defocus * side)
    if sensor.motion > 0:
        kernel = _trail(sensor.motion * side, sensor.motion_angle)
        light = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    if sensor.aberration != 0:
        scaled = [
            cv2.warpAffine(
                np.ascontiguousarray(light[..., channel]),
                _about_middle(side, 1 + sign * sensor.aberration),
                (side, side),
                borderMode=cv2.BORDER_REPLICATE,
            )
            for channel, sign in ((0, 1), (2, -1))
        ]
        light = np.stack([scaled[0], light[..., 1], scaled[1]], axis=-1)
    if sensor.vignette > 0:
        place = (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1
        radius = (place[:, None] ** 2 + place**2) / 2
        light = light * (1 - np.float32(sensor.vignette) * radius**1.5)[..., None]
    return light


def _trail(length: float, angle: float) -> np.ndarray:
    """The path of a point, anti-aliased: ``(K, K) float32`` with sum 1; ``length`` in pixels."""
    reach = math.ceil(length / 2) + 1
    offsets = np.arange(-reach, reach + 1)
    along = offsets * math.cos(angle) + offsets[:, None] * math.sin(angle)
    across = -offsets * math.sin(angle) + offsets[:, None] * math.cos(angle)
    kernel = np.clip((length + 1) / 2 - np.abs(along), 0, 1) * np.clip(1 - np.abs(across), 0, 1)
    return (kernel / kernel.sum()).astype(np.float32)


def _about_middle(side: int, factor: float) -> np.ndarray:
    """Matrix ``(2, 3)`` that makes a picture larger about its middle."""
    shift = (1 - factor) * (side - 1) / 2
    return np.array([[factor, 0, shift], [0, factor, shift]])


def _noisy(light: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """Light with shot and read noise; pixels of a finer picture hold less light and are noisier."""
    import cv2

    side = len(light)
    grains = rng.standard_normal(light.shape, np.float32)
    grains += np.float32(SHARED) * grains[..., 1:2]
    grains = cv2.sepFilter2D(grains, -1, SPREAD, SPREAD, borderType=cv2.BORDER_REFLECT)
    # Back to unit strength after the sums over channels and neighbours.
    unit = 1 / (math.sqrt(1 + SHARED**2) * float((SPREAD**2).sum()))
    variance = np.float32(sensor.shot**2) * np.maximum(light, 0) + np.float32(sensor.read**2)
    return light + np.float32(unit * side / 256) * np.sqrt(variance) * grains


def _styled(encoded: np.ndarray, sensor: Sensor) -> np.ndarray:
    if sensor.contrast != 0:
        curved = encoded * encoded * (3 - 2 * encoded)
        encoded = encoded + np.float32(sensor.contrast) * (curved - encoded)
    if sensor.saturation != 0:
        luma = _luma(encoded)[..., None]
        encoded = luma + np.float32(1 + sensor.saturation) * (encoded - luma)
    return encoded


def _luma(encoded: np.ndarray) -> np.ndarray:
    red, green, blue = (np.float32(weight) * encoded[..., channel] for channel, weight in enumerate(LUMA))
    return red + green + blue


def _sharpened(encoded: np.ndarray, sensor: Sensor) -> np.ndarray:
    import cv2

    if sensor.sharpening <= 0:
        return encoded
    luma = _luma(encoded)
    smooth = cv2.GaussianBlur(luma, (0, 0), max(0.7, HALO * len(luma)))
    return encoded + np.float32(sensor.sharpening) * (luma - smooth)[..., None]


def _smaller_and_larger(encoded: np.ndarray, lost: float) -> np.ndarray:
    import cv2

    side = len(encoded)
    smaller = max(LEAST_SIDE, round(side * (1 - lost)))
    if smaller >= side:
        return encoded
    small = cv2.resize(encoded, (smaller, smaller), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)


def _compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    import cv2

    if quality <= 0:
        return picture
    _, packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, min(100, int(quality))])
    return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])


FLAWS = {
    "defocus": (0.35, 0.0018),
    "motion": (0.15, 0.006),
    "vignette": (0.5, 0.14),
    "aberration": (0.3, 0.0012),
    "shot": (0.6, 0.007),
    "read": (0.6, 0.0016),
    "sharpening": (0.5, 0.35),
    "resolution": (0.25, 0.3),
}
"""Share of pictures that have a flaw, and its mean among them at wear 1."""
LIMITS = {"defocus": 0.008, "motion": 0.03, "vignette": 0.6, "aberration": 0.005, "shot": 0.05, "read": 0.015}
LIMITS |= {"sharpening": 1.5, "resolution": 0.75}
"""Nothing is worse than this."""
EXPOSURE, WARMTH, TINT, CONTRAST, SATURATION = 0.22, 14.0, 0.02, 0.08, 0.10
"""Standard deviations of what is a matter of taste, at wear 1."""
COMPRESSED, LOSS = 0.7, 9.0
"""Share of pictures that are compressed, and by how much below 97 their quality is in the mean, at wear 1."""


def sample_sensor(rng: np.random.Generator, wear: float = 1.0) -> Sensor:
    """A camera drawn at random: most are good, a few are bad.

    Args:
        rng: chance; as much is drawn whatever the wear.
        wear: 0 for a clean picture, 1 for pictures as they are found, 2 for worn ones.
    """
    values = {}
    for name, (share, mean) in FLAWS.items():
        there, strength = rng.random() < share, rng.gamma(1.5, mean / 1.5)
        values[name] = float(there * min(wear * strength, LIMITS[name]))
    taste = rng.normal(size=5) * (EXPOSURE, WARMTH, TINT, CONTRAST, SATURATION) * wear
    exposure, warmth, tint, contrast, saturation = (float(value) for value in taste)
    compressed, loss = rng.random() < COMPRESSED, rng.gamma(1.3, LOSS / 1.3)
    return Sensor(
        **values,
        motion_angle=float(rng.uniform(0, math.pi)),
        exposure=exposure,
        warmth=warmth,
        tint=tint,
        contrast=contrast,
        saturation=saturation,
        jpeg=int(max(25, 97 - wear * loss)) if compressed and wear > 0 else 0,
        seed=int(rng.integers(2**31)),
    )
