"""The camera: off by default, the effect of each flaw, noise by seed and frame alone."""

from __future__ import annotations

import numpy as np
import pytest

from durian.synthetic.base.person import Sensor, View
from durian.synthetic.render.sensor import expose, sample_sensor
from durian.synthetic.render.tone import develop

SIDE = 64
GREY = np.full((SIDE, SIDE, 3), 0.2, np.float32)


def bar() -> np.ndarray:
    """A bright upright bar on dark ground."""
    light = np.full((SIDE, SIDE, 3), 0.05, np.float32)
    light[:, 28:36] = 0.6
    return light


def test_a_sensor_that_is_off_only_develops():
    light = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    assert np.array_equal(expose(light, Sensor()), (255 * develop(light) + 0.5).astype(np.uint8))
    assert View().sensor == Sensor()


def test_noise_follows_from_seed_and_frame():
    noisy = Sensor(shot=0.03, read=0.01, seed=5)
    first = expose(GREY, noisy, 2)
    assert np.array_equal(first, expose(GREY, noisy, 2))
    assert not np.array_equal(first, expose(GREY, noisy, 3))
    assert not np.array_equal(first, expose(GREY, Sensor(shot=0.03, read=0.01, seed=6), 2))


def test_noise_grows_with_the_root_of_light_and_neighbours_share_it():
    from durian.synthetic.render.sensor import _noisy

    sensor, large = Sensor(shot=0.02), np.ones((256, 256, 3), np.float32)
    dim, bright = (
        _noisy(level * large, sensor, np.random.default_rng(1)) - level for level in (np.float32(0.1), np.float32(0.4))
    )
    assert bright.std() == pytest.approx(0.02 * 0.4**0.5, rel=0.15)
    assert bright.std() / dim.std() == pytest.approx(2, rel=0.01)
    assert 0.3 < np.corrcoef(bright[:, 1:, 0].ravel(), bright[:, :-1, 0].ravel())[0, 1] < 0.9
    assert np.corrcoef(bright[..., 0].ravel(), bright[..., 1].ravel())[0, 1] > 0.2
    dark = _noisy(0 * large, Sensor(read=0.01), np.random.default_rng(1))
    assert dark.std() == pytest.approx(0.01, rel=0.15)


def test_exposure_and_white_balance():
    bright = expose(GREY, Sensor(exposure=1.0))
    assert np.array_equal(bright, expose(2 * GREY, Sensor()))
    warm, green = (expose(GREY, sensor)[0, 0].astype(int) for sensor in (Sensor(warmth=40.0), Sensor(tint=0.1)))
    plain = expose(GREY, Sensor())[0, 0].astype(int)
    assert warm[0] > plain[0] + 5
    assert warm[2] < plain[2] - 5
    assert green[1] > plain[1] + 2
    assert green[0] == plain[0]


def test_a_vignette_darkens_corners_only():
    shaded, plain = expose(GREY, Sensor(vignette=0.4)), expose(GREY, Sensor())
    assert shaded[32, 32, 0] == plain[32, 32, 0]
    assert develop(np.float32(0.2 * 0.6)) * 255 == pytest.approx(shaded[0, 0, 0], abs=4)


def test_motion_blurs_along_its_direction():
    across, along = (expose(bar(), Sensor(motion=0.15, motion_angle=angle)) for angle in (0.0, np.pi / 2))
    assert np.array_equal(along[:, :24], expose(bar(), Sensor())[:, :24])
    assert across[32, 25, 0] > along[32, 25, 0] + 15


def test_defocus_blurs_alike_in_all_directions():
    point = np.zeros((SIDE, SIDE, 3), np.float32)
    point[32, 32] = 20
    seen = expose(point, Sensor(defocus=0.05))[..., 0]
    assert seen[32, 34] == seen[34, 32] == seen[30, 32] > 0
    assert seen[32, 38] == 0


def test_aberration_moves_red_out_and_blue_in():
    light = np.zeros((SIDE, SIDE, 3), np.float32)
    light[:, 56:] = 0.5
    seen = expose(light, Sensor(aberration=0.03)).astype(int)
    assert seen[32, 55, 2] > seen[32, 55, 1] + 20
    assert seen[32, 56, 0] < seen[32, 56, 1] - 20


def test_sharpening_leaves_halos():
    plain, sharp = (expose(bar(), Sensor(sharpening=strength))[32, :, 0].astype(int) for strength in (0.0, 0.8))
    assert sharp[28] > plain[28] + 8
    assert sharp[27] < plain[27] - 8
    assert sharp[5] == plain[5]


def test_lost_resolution_and_compression_lose_detail():
    noise = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    plain = expose(noise, Sensor()).astype(float)
    assert expose(noise, Sensor(resolution=0.6)).std() < 0.7 * plain.std()
    fine, coarse = (np.abs(expose(noise, Sensor(jpeg=quality)) - plain).mean() for quality in (95, 30))
    assert 0 < fine < coarse


def test_contrast_and_saturation():
    light = np.full((SIDE, SIDE, 3), (0.5, 0.2, 0.1), np.float32)
    plain, vivid, grey = (expose(light, Sensor(saturation=amount))[0, 0].astype(int) for amount in (0.0, 0.3, -1.0))
    assert np.ptp(vivid) == pytest.approx(1.3 * np.ptp(plain), rel=0.03)
    assert np.ptp(grey) == 0
    dark, bright = (expose(np.float32(level) * GREY / 0.2, Sensor(contrast=0.3))[0, 0, 0] for level in (0.05, 0.7))
    assert dark < expose(0.25 * GREY, Sensor())[0, 0, 0]
    assert bright > expose(3.5 * GREY, Sensor())[0, 0, 0]


def test_sampled_cameras_go_from_clean_to_worn():
    clean = sample_sensor(np.random.default_rng(3), wear=0.0)
    assert clean == Sensor(motion_angle=clean.motion_angle, seed=clean.seed)
    light = np.random.default_rng(0).random((SIDE, SIDE, 3), np.float32)
    assert np.array_equal(expose(light, clean), expose(light, Sensor()))
    usual = [sample_sensor(np.random.default_rng(seed)) for seed in range(300)]
    assert usual[5] == sample_sensor(np.random.default_rng(5))
    assert 0.02 < np.mean([one.shot > 0.015 for one in usual]) < 0.25
    assert np.mean([one.defocus > 0.003 for one in usual]) < 0.12
    assert np.mean([0 < one.jpeg < 70 for one in usual]) < 0.15
    assert abs(np.mean([one.exposure for one in usual])) < 0.06
    worn = [sample_sensor(np.random.default_rng(seed), 2.0) for seed in range(300)]
    assert all(a.shot <= b.shot and a.jpeg >= b.jpeg for a, b in zip(usual, worn))


@pytest.mark.slow
def test_a_worn_picture_keeps_its_masks(head_model):
    from durian.synthetic.base.person import Person
    from durian.synthetic.studio.studio import Studio

    studio, worn = Studio(head_model), sample_sensor(np.random.default_rng(1), 2.0)
    plain, seen = (studio.render(Person(), View(sensor=sensor), 64) for sensor in (Sensor(), worn))
    assert not np.array_equal(plain.rgb, seen.rgb)
    assert np.array_equal(plain.classes, seen.classes)
    assert np.array_equal(plain.coverage["cloth"], seen.coverage["cloth"])
