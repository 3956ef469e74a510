"""The diffusion renderer on a tiny real model: frames, estimates, cancelling, and running out of memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusion_made import SIZE, tiny_pipeline
from requests_made import attribute, disc, portrait, request

from durian.diffusion.find_model import require_model
from durian.diffusion.load import open_pipeline
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.renderer import AT_ONCE, Chunks, DiffusionRenderer, is_out_of_memory, resized, smaller_chunks
from durian.engine import Engine
from durian.errors import Cancelled, InvalidRequest, LimitExceeded, WeightsMissing
from durian.media import iter_video
from durian.request import AnimationRequest, DiffusionOptions
from durian.settings import get_settings

FRAMES = 6


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("weights")
    tiny_pipeline(trained_steps=1).save_pretrained(folder / "tiny")
    return folder


@pytest.fixture(scope="module")
def opened(model_folder) -> DurianPipeline:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DURIAN_WEIGHTS", str(model_folder))
        get_settings.cache_clear()
        pipeline = open_pipeline(require_model())
    get_settings.cache_clear()
    return pipeline


@pytest.fixture
def renderer(model_folder, opened, settings_environment) -> DiffusionRenderer:
    settings_environment(weights=model_folder)
    made = DiffusionRenderer()
    made._pipeline = opened
    return made


def asked(**changes: object) -> AnimationRequest:
    """Six frames of 64 px; what the portrait wears is known, so that nothing is searched for."""
    known = {"hat": disc(radius=9), "hair": disc(radius=12), "glasses": disc(radius=5)}
    return request(**{"frames": FRAMES, "renderer": "diffusion", "portrait": portrait(worn=known), **changes})


def rendered(renderer: DiffusionRenderer, **changes: object) -> np.ndarray:
    return np.stack(list(renderer.render(asked(**changes))))


class Witness:
    """Remembers what it is told; cancels after ``last_step``."""

    def __init__(self, frame: int | None = None, last_step: int | None = None) -> None:
        self.frame, self.last_step = frame, last_step
        self.steps: list[tuple[int, int]] = []
        self.estimates: list[np.ndarray] = []

    def step(self, index: int, steps: int) -> None:
        self.steps.append((index, steps))

    def estimate(self, picture: np.ndarray) -> None:
        self.estimates.append(picture)

    def is_cancelled(self) -> bool:
        return self.last_step is not None and self.steps[-1:] >= [(self.last_step, 0)]

    def check_cancelled(self) -> None:
        if self.is_cancelled():
            raise Cancelled("Not wanted any more.")


# Frames


@pytest.mark.parametrize("size", [64, 96])
def test_frames_are_as_asked(renderer: DiffusionRenderer, size: int):
    frames = list(renderer.render(asked(size=size)))
    assert [(frame.shape, frame.dtype) for frame in frames] == [((size, size, 3), np.uint8)] * FRAMES
    assert len({id(frame) for frame in frames}) == FRAMES
    assert not np.array_equal(frames[0], frames[3])


def test_without_a_motion_there_is_one_frame(renderer: DiffusionRenderer):
    assert rendered(renderer, motion=None).shape == (1, 64, 64, 3)


def test_the_same_seed_gives_the_same_frames(renderer: DiffusionRenderer):
    first = rendered(renderer, options={"seed": 5})
    assert np.array_equal(first, rendered(renderer, options={"seed": 5}))
    assert not np.array_equal(first, rendered(renderer, options={"seed": 6}))


@pytest.mark.parametrize(
    "options", [DiffusionOptions(steps=3), DiffusionOptions(guidance_scale=1), DiffusionOptions(sampler="euler")]
)
def test_sampling_is_as_asked(renderer: DiffusionRenderer, options: DiffusionOptions):
    assert not np.array_equal(rendered(renderer), rendered(renderer, diffusion=options))


def test_more_steps_than_a_sampler_has_is_one_sentence(renderer: DiffusionRenderer):
    with pytest.raises(InvalidRequest, match="choose 1 to 50"):
        rendered(renderer, diffusion=DiffusionOptions(steps=60, sampler="lcm"))


@pytest.mark.parametrize("alpha", [0, 1])
def test_a_blend_at_an_end_is_that_attribute_alone(renderer: DiffusionRenderer, alpha: int):
    both = (attribute(1), attribute(2, mask=disc(radius=8)))
    blend = {"attributes": both, "mode": "blend"}
    alone = rendered(renderer, attributes=(both[alpha],))
    assert np.array_equal(rendered(renderer, **blend, blend_start=alpha, blend_end=alpha), alone)
    between = rendered(renderer, **blend, blend_start=0.5, blend_end=0.5)
    assert not np.array_equal(between, alone)


def test_a_blend_follows_its_own_alpha_in_each_frame(renderer: DiffusionRenderer):
    """Frame f of a blend from 0.2 to 0.7 is frame f of a still blend at its α."""
    blend = {"attributes": (attribute(1), attribute(2)), "mode": "blend"}
    moving = [renderer.still(asked(**blend, blend_start=0.2, blend_end=0.7), index) for index in range(FRAMES)]
    for index, alpha in enumerate(np.linspace(0.2, 0.7, FRAMES)):
        held = renderer.still(asked(**blend, blend_start=float(alpha), blend_end=float(alpha)), index)
        assert np.abs(held.astype(int) - moving[index]).max() <= 1


def test_strength_nought_is_as_if_it_were_not_there(renderer: DiffusionRenderer):
    bare = rendered(renderer, attributes=())
    assert np.array_equal(rendered(renderer, attributes=(attribute(strength=0.0),)), bare)
    assert not np.array_equal(rendered(renderer, attributes=(attribute(strength=0.4),)), bare)


def test_the_order_of_attributes_does_not_matter(renderer: DiffusionRenderer):
    hat, glasses = attribute(1), attribute(2, name="glasses", mask=disc(radius=6))
    first, second = (rendered(renderer, attributes=pair).astype(int) for pair in ((hat, glasses), (glasses, hat)))
    assert np.abs(first - second).max() <= 1


def test_a_still_is_a_clip_of_that_moment_and_leaves_a_running_one_alone(renderer: DiffusionRenderer):
    alone = rendered(renderer)
    running = renderer.render(asked())
    frames = [next(running)]
    other = renderer.still(asked(attributes=(attribute(7),)), 2)
    assert other.shape == (64, 64, 3)
    frames += list(running)
    assert np.array_equal(np.stack(frames), alone)
    assert np.array_equal(renderer.still(asked(), 99), renderer.still(asked(), FRAMES - 1))


def test_absolute_landmarks_drive_it_too(renderer: DiffusionRenderer):
    from durian.scene import prepare_scene

    driving = prepare_scene(asked(size=96)).driving
    given = np.stack(list(renderer.render_landmarks(asked(size=96), driving)))
    assert np.abs(given.astype(int) - rendered(renderer, size=96)).max() <= 2


def test_overlays_are_those_of_the_scene(renderer: DiffusionRenderer):
    pictures = renderer.overlays(asked(size=96))
    assert set(pictures) == {"landmarks", "keypoints", "hole", "aligned"}
    assert all(picture.shape == (96, 96, 3) for picture in pictures.values())


# Watching


@pytest.mark.parametrize(("wanted", "shown"), [(None, 3), (1, 1), (40, 5)])
def test_the_last_estimate_is_the_frame_itself(renderer: DiffusionRenderer, wanted: int | None, shown: int):
    witness = Witness(wanted)
    frames = list(renderer.render(asked(diffusion=DiffusionOptions(steps=3)), witness))
    assert witness.steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert len(witness.estimates) == 3
    off = [np.abs(estimate.astype(int) - frames[shown]).mean() for estimate in witness.estimates]
    assert off[2] < 0.5 < off[0]


def test_cancelling_takes_effect_within_a_step(renderer: DiffusionRenderer):
    witness = Witness(last_step=2)
    with pytest.raises(Cancelled):
        list(renderer.render(asked(diffusion=DiffusionOptions(steps=9)), witness))
    assert witness.steps == [(0, 9), (1, 9), (2, 9)]
    assert len(witness.estimates) == 1


# Memory


def test_a_renderer_s_offloaded_model_is_freed(model_folder, settings_environment):
    """Freeing puts new hooks in the place of those that brought a part to the accelerator."""
    settings_environment(weights=model_folder)
    renderer = DiffusionRenderer()
    plain = rendered(renderer)
    renderer._pipeline.enable_model_cpu_offload(device="cpu")
    parts = (renderer._pipeline.denoiser, renderer._pipeline.vae)
    before = [part._hf_hook for part in parts]
    frames = renderer.render(asked())
    first = next(frames)
    middle = [part._hf_hook for part in parts]
    # The same weights elsewhere in memory: rounding may differ, by processor.
    assert np.abs(np.stack([first, *frames]).astype(int) - plain).max() <= 1
    after = [part._hf_hook for part in parts]
    assert not any(a is b or b is c for a, b, c in zip(before, middle, after))


def full_gpu() -> Exception:
    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")


def full_machine() -> Exception:
    return RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: 12 bytes")


class SmallBatches(DurianPipeline):
    """Decodes three frames of a batch of several, then has no memory left."""

    def decode_latents(self, latents, decode_chunk_size=4, draft=None):
        for index, frame in enumerate(super().decode_latents(latents, decode_chunk_size, draft)):
            if decode_chunk_size > 1 and index == 3:
                raise full_gpu()
            yield frame


class NoRoomForTwo(DurianPipeline):
    """Runs out of memory with both halves of guidance in one batch."""

    def denoise(self, keypoints, **options):
        if options["guide_in_one_batch"]:
            raise full_machine()
        return super().denoise(keypoints, **options)


class NoRoom(DurianPipeline):
    def denoise(self, keypoints, **options):
        raise full_gpu()


def as_kind(renderer: DiffusionRenderer, kind: type[DurianPipeline]) -> DiffusionRenderer:
    """The renderer with the same model, as a pipeline of ``kind``."""
    import copy

    renderer._pipeline = copy.copy(renderer._pipeline)
    renderer._pipeline.__class__ = kind
    return renderer


@pytest.mark.parametrize("kind", [SmallBatches, NoRoomForTwo])
def test_where_memory_ends_less_is_done_at_once_and_the_frames_are_the_same(
    renderer: DiffusionRenderer, kind: type, monkeypatch
):
    monkeypatch.setitem(AT_ONCE, "cpu", Chunks(1))
    roomy = rendered(renderer)
    witness = Witness()
    tight = np.stack(list(as_kind(renderer, kind).render(asked(), witness)))
    assert np.abs(tight.astype(int) - roomy).max() <= 1
    assert witness.steps.count((0, 2)) == (2 if kind is NoRoomForTwo else 1)


def test_where_nothing_fits_one_sentence_says_so(renderer: DiffusionRenderer):
    with pytest.raises(LimitExceeded, match="memory does not suffice"):
        list(as_kind(renderer, NoRoom).render(asked()))


def test_ever_less_is_tried():
    assert smaller_chunks(Chunks(4)) == [Chunks(4), Chunks(2), Chunks(1), Chunks(1, guide_in_one_batch=False)]
    assert smaller_chunks(Chunks(2, False)) == [Chunks(2, False), Chunks(1, False)]


@pytest.mark.parametrize(
    ("error", "yes"),
    [
        (full_gpu(), True),
        (full_machine(), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_a_shortage_is_told_from_other_mistakes(error: Exception, yes: bool):
    assert is_out_of_memory(error) is yes


def test_other_mistakes_are_not_tried_again(renderer: DiffusionRenderer):
    class Broken(DurianPipeline):
        tries = 0

        def denoise(self, keypoints, **options):
            type(self).tries += 1
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="mat1"):
        list(as_kind(renderer, Broken).render(asked()))
    assert Broken.tries == 1


def test_resizing_averages_or_interpolates():
    chequered = np.indices((8, 8)).sum(0) % 2 * np.uint8(200)
    picture = np.repeat(chequered[..., None], 3, 2).astype(np.uint8)
    assert (resized(picture, 4) == 100).all()
    assert resized(picture, 16).shape == (16, 16, 3)
    assert resized(picture, 8) is not picture
    assert np.array_equal(resized(picture, 8), picture)


# Through the engine, and opening


def test_through_the_engine(engine: Engine, renderer: DiffusionRenderer):
    engine._renderers["diffusion"] = renderer
    seen = []
    job = engine.submit(asked(), on_progress=seen.append)
    animation = job.result(60)
    frames = np.stack(list(iter_video(animation.master, 24)))
    # Rendered in another thread: sums may be added up in another order, by which a value comes to the next level.
    differs = np.abs(frames.astype(int) - rendered(renderer))
    assert differs.max() <= 1
    assert (differs > 0).mean() < 1e-3
    assert np.array_equal(animation.frame(4), frames[4])
    assert {(s.step, s.steps) for s in seen if s.stage == "denoising"} == {(0, 2), (1, 2), (2, 2)}
    assert animation.metadata["settings"]["diffusion"] == {"steps": None, "guidance_scale": None, "sampler": None}


def test_a_model_opens_by_itself_when_it_is_first_needed(model_folder, settings_environment, renderer):
    fresh = DiffusionRenderer()
    assert fresh._pipeline is None
    assert np.array_equal(np.stack(list(fresh.render(asked()))), rendered(renderer))
    fresh.close()
    assert fresh._pipeline is None


@pytest.mark.parametrize("spoil", ["damaged", "incomplete"])
def test_a_model_that_cannot_be_opened_is_one_sentence(tmp_path, settings_environment, spoil: str):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "tiny"
    tiny_pipeline(trained_steps=1).save_pretrained(folder)
    path = folder / "guider" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    if spoil == "damaged":
        path.write_bytes(path.read_bytes()[:100])
    else:
        tensors.pop(min(tensors))
        save_file(tensors, path, {"format": "pt"})
    settings_environment(weights=folder)
    with pytest.raises(WeightsMissing, match="fetch it again"):
        list(DiffusionRenderer().render(asked()))


def test_a_gpu_that_is_not_there_is_one_sentence(model_folder, settings_environment):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    settings_environment(weights=model_folder, device="cuda")
    with pytest.raises(InvalidRequest, match="no GPU was found"):
        list(DiffusionRenderer().render(asked()))


def test_the_model_s_size_is_its_own(renderer: DiffusionRenderer):
    assert renderer.model.size == SIZE != asked().options.size
