"""Processes side by side, of one thread each."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def process_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of ``workers`` processes in which OpenCV and torch use one thread.

    Spawned, not forked: MediaPipe's threads do not survive a fork. One thread each, since as many as there are cores
    wait for each other most of the time, and since sums of more threads may round differently.
    """
    return ProcessPoolExecutor(workers, get_context("spawn"), _use_one_thread)


def _use_one_thread() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
