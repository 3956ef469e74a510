"""Islands of a mask, on values."""

from __future__ import annotations

import cv2
import numpy as np

from durian.segmentation.parser.classes import HAT
from durian.segmentation.parser.heads import LEAST_ISLAND, THREADS
from durian.segmentation.parser.islands import without_islands


def cap_with_a_thread() -> tuple[np.ndarray, np.ndarray]:
    """A cap, and the same with a horizon that touches it, a speck, and a second large part."""
    cap = np.zeros((256, 256), np.float32)
    cv2.ellipse(cap, (128, 90), (60, 40), 0, 0, 360, 1.0, -1)
    more = cap.copy()
    cv2.rectangle(more, (0, 88), (256, 91), 1.0, -1)
    cv2.circle(more, (30, 200), 8, 1.0, -1)
    return cap, more


def test_threads_and_specks_go_and_the_item_stays():
    cap, more = cap_with_a_thread()
    kept = without_islands(more, 5, 0.15)
    assert kept[cap > 0].min() == 1
    far = cv2.dilate(cap, np.ones((25, 25))) == 0
    assert kept[far].max() == 0


def test_a_large_second_part_stays():
    cap, _ = cap_with_a_thread()
    both = cap.copy()
    cv2.ellipse(both, (128, 200), (40, 30), 0, 0, 360, 1.0, -1)
    assert np.array_equal(without_islands(both, 5, 0.15), both)


def test_what_is_nothing_but_a_thread_is_left_as_it_is():
    line = np.zeros((64, 64), np.float32)
    line[30] = 1
    assert without_islands(line, 3, 0.1) is line


def test_a_scarf_that_is_narrow_beside_the_face_keeps_its_upper_part():
    unit = 56
    scarf = np.zeros((256, 256), np.float32)
    cv2.rectangle(scarf, (60, 150), (196, 250), 1.0, -1)
    cv2.ellipse(scarf, (128, 130), (50, 70), 0, 180, 360, 1.0, 5)
    cv2.line(scarf, (78, 130), (78, 150), 1.0, 5)
    cv2.line(scarf, (178, 130), (178, 150), 1.0, 5)
    kept = without_islands(scarf, THREADS[HAT] * unit, LEAST_ISLAND[HAT])
    assert np.array_equal(kept, scarf)
