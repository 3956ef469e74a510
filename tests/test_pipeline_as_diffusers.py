"""What a user of diffusers expects of any pipeline: schedulers, generators, callbacks, results, saving, offloading."""

from __future__ import annotations

import json
import subprocess
import sys

import diffusers
import numpy as np
import pytest
import torch
from accelerate import cpu_offload
from diffusers import (
    DDIMScheduler,
    DiffusionPipeline,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LCMScheduler,
)
from diffusers.callbacks import SDCFGCutoffCallback
from diffusers.models.attention_processor import AttnProcessor2_0
from diffusion_made import attribute, frames_of, half_mask, kept_estimates, picture, pictures, tiny_pipeline
from PIL import Image

from durian.diffusion.noise import initial_noise
from durian.diffusion.output import as_frames, as_video
from durian.diffusion.pipeline import DurianPipeline
from durian.diffusion.sampling import TrailingDDIM
from durian.errors import Cancelled, InvalidRequest

KEYPOINTS = pictures(4, 3)


def ready(pipeline: DurianPipeline | None = None) -> DurianPipeline:
    pipeline = tiny_pipeline() if pipeline is None else pipeline
    pipeline.set_progress_bar_config(disable=True)
    pipeline.set_references(picture(1), half_mask(), [attribute(2)], portrait_keypoints=picture(51))
    return pipeline


def made(pipeline: DurianPipeline, keypoints: np.ndarray = KEYPOINTS, **options: object) -> np.ndarray:
    return frames_of(pipeline, keypoints, **options)


def off(one: np.ndarray, other: np.ndarray) -> int:
    """Largest difference, of 255."""
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other).max())


@pytest.fixture(scope="module")
def pipeline() -> DurianPipeline:
    return ready()


@pytest.fixture(scope="module")
def expected(pipeline) -> np.ndarray:
    return made(pipeline)


@pytest.fixture
def own(pipeline) -> DurianPipeline:
    """The same parts and references in a pipeline that a test may change."""
    return ready(DurianPipeline.from_pipe(pipeline))


# Schedulers


@pytest.mark.parametrize(
    ("kind", "sampler"),
    [(DPMSolverMultistepScheduler, "dpm++"), (LCMScheduler, "lcm")],
)
def test_an_assigned_scheduler_is_the_one_that_samples(own, kind, sampler):
    own.scheduler = kind.from_config(own.scheduler.config)
    names = (None, sampler, "ddim")
    found, named, before = (own.denoise(KEYPOINTS, num_inference_steps=3, sampler=name) for name in names)
    assert torch.equal(found, named)
    assert not torch.allclose(found, before, atol=1e-2)


def test_settings_of_an_assigned_scheduler_are_its_own(own):
    config = own.scheduler.config
    own.scheduler = DPMSolverMultistepScheduler.from_config(config)
    plain = made(own, num_inference_steps=3)
    own.scheduler = DPMSolverMultistepScheduler.from_config(config, use_karras_sigmas=True)
    assert off(made(own, num_inference_steps=3), plain) > 1
    own.scheduler = DDIMScheduler.from_config(config, timestep_spacing="leading")
    seen = []
    made(own, callback_on_step_end=lambda pipe, i, t, tensors: seen.append(int(t)))
    assert seen == [500, 0]


def test_a_call_leaves_the_scheduler_as_it_was(own):
    own.scheduler = EulerDiscreteScheduler.from_config(own.scheduler.config)
    timesteps = own.scheduler.timesteps.clone()
    first = made(own)
    assert own.scheduler.num_inference_steps is None
    assert torch.equal(own.scheduler.timesteps, timesteps)
    assert np.array_equal(made(own), first)


def test_a_scheduler_that_adds_noise_takes_each_frame_s_own(own):
    own.scheduler = EulerAncestralDiscreteScheduler.from_config(own.scheduler.config)
    keypoints = pictures(4, 5)
    long = made(own, keypoints, window=1, num_inference_steps=3)
    assert off(made(own, keypoints[:2], window=1, num_inference_steps=3), long[:2]) <= 1
    assert off(made(own, keypoints, window=1, num_inference_steps=3, seed=1), long) > 10


def test_a_scheduler_of_another_kind_of_model_is_refused(own):
    own.scheduler = FlowMatchEulerDiscreteScheduler()
    with pytest.raises(InvalidRequest, match=r"^FlowMatchEulerDiscreteScheduler does not have this model's noise"):
        made(own)


def test_eta_adds_the_noise_that_diffusers_ddim_adds(own, expected):
    ours = made(own, eta=0.7)
    assert off(ours, expected) > 10
    assert np.array_equal(made(own, eta=0.7), ours)
    own.scheduler = DDIMScheduler.from_config(own.scheduler.config)
    assert off(made(own, eta=0.7), ours) <= 1
    with pytest.raises(InvalidRequest, match="An eta of 2 is out of range: give 0 to 1"):
        made(own, eta=2)


# Randomness


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_fresh_generator_is_its_seed_and_a_used_one_is_not(pipeline, expected):
    generator = seeded(5)
    five = made(pipeline, generator=generator)
    assert np.array_equal(five, made(pipeline, seed=5))
    assert off(five, expected) > 10
    again = made(pipeline, generator=generator)
    assert off(again, five) > 10
    used = seeded(5)
    torch.randint(2**63 - 1, (), generator=used)
    assert np.array_equal(made(pipeline, generator=used), again)


def test_a_generator_per_frame_is_that_frame_s_alone(pipeline):
    options = {"window": 1, "sampler": "lcm"}
    one = made(pipeline, generator=[seeded(7), seeded(8), seeded(9)], **options)
    other = made(pipeline, generator=[seeded(7), seeded(3), seeded(9)], **options)
    assert [off(a, b) > 1 for a, b in zip(one, other)] == [False, True, False]
    assert off(made(pipeline, KEYPOINTS[:2], generator=[seeded(7), seeded(8)], **options), one[:2]) <= 1
    with pytest.raises(InvalidRequest, match="2 generators were given for 3 frames"):
        made(pipeline, generator=[seeded(7), seeded(8)])


def test_given_latents_are_what_sampling_begins_with(pipeline):
    latents = as_video(initial_noise(pipeline.latent_shape, 3, seed=5))
    before = latents.clone()
    assert np.array_equal(made(pipeline, latents=latents), made(pipeline, seed=5))
    assert torch.equal(latents, before)
    with pytest.raises(InvalidRequest, match=r"latents are \(3, 4, 4, 4\): give \(1, 4, 3, 4, 4\)"):
        made(pipeline, latents=as_frames(latents))


# Results


def test_output_types_are_the_same_frames(pipeline, expected):
    images = pipeline(KEYPOINTS, output_type="pil").frames
    assert [type(image) for image in images[0]] == [Image.Image] * 3
    assert len(images) == 1
    array = pipeline(KEYPOINTS, output_type="np").frames
    assert array.dtype == np.float32
    assert array.shape == (1, 3, 32, 32, 3)
    assert np.array_equal(np.rint(array[0] * 255).astype(np.uint8), expected)
    tensor = pipeline(KEYPOINTS, output_type="pt").frames
    assert tensor.dtype == torch.float32
    assert np.array_equal(tensor.permute(0, 1, 3, 4, 2).numpy(), array)
    latents = pipeline(KEYPOINTS, output_type="latent").frames
    assert latents.shape == (1, 4, 3, 4, 4)
    assert np.array_equal(np.stack(list(pipeline.decode_latents(latents))), expected)
    with pytest.raises(InvalidRequest, match="Output type 'video' is not known: use one of pil, np, pt, latent"):
        pipeline(KEYPOINTS, output_type="video")


def test_a_result_is_a_tuple_where_asked_for(pipeline, expected):
    result = pipeline(KEYPOINTS, return_dict=False)
    assert type(result) is tuple
    assert np.array_equal(np.stack(result[0][0]), expected)
    assert pipeline(KEYPOINTS)["frames"][0][0].tobytes() == result[0][0][0].tobytes()


# Callbacks


def test_a_callback_is_told_as_diffusers_tells_it(pipeline, expected):
    seen = []

    def tell(pipe, step, timestep, tensors):
        seen.append((pipe is pipeline, step, timestep.item(), sorted(tensors), tuple(tensors["latents"].shape)))
        return tensors

    assert np.array_equal(made(pipeline, callback_on_step_end=tell), expected)
    shape = (1, 4, 3, 4, 4)
    assert seen == [(True, 0, 999, ["latents"], shape), (True, 1, 499, ["latents"], shape)]
    seen.clear()
    names = ["latents", "estimate"]
    made(pipeline, callback_on_step_end=tell, callback_on_step_end_tensor_inputs=names)
    assert [keys for _, _, _, keys, _ in seen] == [sorted(names)] * 2
    for unknown in (
        {"callback_on_step_end_tensor_inputs": ["prompt_embeds"], "callback_on_step_end": tell},
        {"callback_on_step_end": SDCFGCutoffCallback()},
    ):
        with pytest.raises(InvalidRequest, match="'prompt_embeds' is no tensor that a callback can be given"):
            made(pipeline, **unknown)


def test_latents_that_a_callback_returns_are_gone_on_from(pipeline):
    other = torch.randn(1, 4, 3, 4, 4, generator=seeded(0))
    last = made(pipeline, callback_on_step_end=lambda pipe, i, t, tensors: {"latents": other})
    assert np.array_equal(last, np.stack(list(pipeline.decode_latents(other))))

    def at_first(pipe, step, timestep, tensors):
        return {"latents": tensors["latents"] + 1.0} if step == 0 else None

    shifted = made(pipeline, callback_on_step_end=at_first)
    assert off(shifted, made(pipeline)) > 1
    assert off(shifted, last) > 1


def test_a_callback_may_end_sampling_early(pipeline):
    estimates = []

    def stop(pipe, step, timestep, tensors):
        estimates.append(tensors["latents"].clone())
        pipe._interrupt = step == 1

    found = made(pipeline, num_inference_steps=6, callback_on_step_end=stop)
    assert len(estimates) == 2
    assert np.array_equal(found, np.stack(list(pipeline.decode_latents(estimates[-1]))))
    made(pipeline, num_inference_steps=6, **kept_estimates(estimates))
    assert len(estimates) == 8


def test_a_callback_may_end_guidance_early(pipeline):
    calls = []
    hook = pipeline.denoiser.register_forward_pre_hook(lambda *_: calls.append(1))

    def cut(pipe, step, timestep, tensors):
        assert pipe.do_classifier_free_guidance is (step == 0)
        pipe._guidance_scale = 0.0

    try:
        made(pipeline, num_inference_steps=4, callback_on_step_end=cut)
    finally:
        hook.remove()
    assert len(calls) == 2 + 1 + 1 + 1


# Loading, saving, sharing


def saved_before(folder) -> None:
    """Rewrite a saved model's index and scheduler as they were when the sampler was a name."""
    index = json.loads((folder / "model_index.json").read_text())
    index |= {"scheduler": ["diffusers", "DDIMScheduler"], "sampler": "dpm++"}
    (folder / "model_index.json").write_text(json.dumps(index))
    DDIMScheduler(prediction_type="v_prediction", rescale_betas_zero_snr=True).save_pretrained(folder / "scheduler")


def test_the_pipeline_is_saved_and_opened_with_its_scheduler(own, expected, tmp_path):
    own.save_pretrained(tmp_path / "first")
    first = ready(DiffusionPipeline.from_pretrained(tmp_path / "first"))
    assert type(first) is DurianPipeline
    assert type(first.scheduler) is TrailingDDIM
    assert off(made(first), expected) <= 1
    own.scheduler = DDIMScheduler.from_config(own.scheduler.config, timestep_spacing="leading")
    own.save_pretrained(tmp_path / "second")
    second = ready(DiffusionPipeline.from_pretrained(tmp_path / "second"))
    assert type(second.scheduler) is DDIMScheduler
    assert off(made(second), made(own)) <= 1


def test_a_model_whose_sampler_is_a_name_opens_as_before(own, tmp_path):
    own.save_pretrained(tmp_path)
    saved_before(tmp_path)
    old = ready(DurianPipeline.from_pretrained(tmp_path))
    assert type(old.scheduler) is DPMSolverMultistepScheduler
    assert old.config.sampler is None
    assert off(made(old), made(own, sampler="dpm++")) <= 1
    other = EulerDiscreteScheduler.from_config(old.scheduler.config)
    assert DurianPipeline.from_pretrained(tmp_path, scheduler=other).scheduler is other


def test_a_pipeline_from_another_shares_its_parts(pipeline, expected):
    shared = DurianPipeline.from_pipe(pipeline)
    assert all(shared.components[name] is part for name, part in pipeline.components.items())
    assert dict(shared.config) == dict(pipeline.config)
    with pytest.raises(InvalidRequest, match="No references were given"):
        shared(KEYPOINTS)
    assert np.array_equal(made(ready(shared)), expected)
    settings = {name: pipeline.config[name] for name in ("size", "steps", "guidance_scale", "window", "overlap")}
    assert np.array_equal(made(ready(DurianPipeline(**pipeline.components, **settings))), expected)


PROGRAM = """
import sys
{first}
{second}
assert not ({first!r}.startswith("import durian") and "torch" in sys.modules)
from diffusers import DiffusionPipeline
assert "durian.diffusion.pipeline" not in sys.modules
pipeline = DiffusionPipeline.from_pretrained(sys.argv[1])
from durian import DurianPipeline
import durian.diffusion
assert type(pipeline) is DurianPipeline is durian.diffusion.DurianPipeline
"""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "import durian",
            "import importlib; from importlib.util import find_spec; importlib.reload(durian); find_spec('diffusers')",
        ),
        ("import diffusers", "import durian"),
    ],
    ids=["durian first", "diffusers first"],
)
def test_diffusers_opens_a_model_once_durian_is_imported(pipeline, project_root, tmp_path, first, second):
    pipeline.save_pretrained(tmp_path)
    program = PROGRAM.format(first=first, second=second)
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=project_root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# Number types and memory


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_references_are_of_the_number_type_that_the_model_is_moved_to(expected, dtype):
    moved = ready().to(dtype)
    name = str(dtype).replace(".", r"\.")
    with pytest.raises(InvalidRequest, match=rf"set in torch\.float32 and the model is now in {name}: call set_ref"):
        moved(KEYPOINTS)
    latents = ready(moved)(KEYPOINTS, output_type="latent").frames
    assert latents.dtype == dtype
    assert np.abs(np.stack(list(moved.decode_latents(latents))).astype(int) - expected).mean() < 8


def test_the_progress_bar_is_the_user_s(pipeline, capsys):
    shown = DurianPipeline.from_pipe(pipeline)
    shown.set_references(picture(1), half_mask(), [attribute(2)], portrait_keypoints=picture(51))
    shown.set_progress_bar_config(desc="denoising")
    made(shown, num_inference_steps=3)
    told = capsys.readouterr().err
    assert "denoising: 100%" in told
    assert "3/3" in told
    shown.set_progress_bar_config(disable=True)
    made(shown)
    assert capsys.readouterr().err == ""


def hooks(pipeline: DurianPipeline) -> list[object]:
    """The offloading hooks of parts; freeing models puts new ones in their place."""
    return [pipeline.vae._hf_hook, pipeline.denoiser._hf_hook]


def all_new(pipeline: DurianPipeline, before: list[object]) -> bool:
    return not any(one is other for one, other in zip(hooks(pipeline), before))


def test_offloaded_models_are_freed_after_a_call(expected):
    offloaded = tiny_pipeline()
    offloaded.enable_model_cpu_offload(device="cpu")
    ready(offloaded)
    before = hooks(offloaded)
    assert np.array_equal(made(offloaded), expected)
    assert all_new(offloaded, before)
    before = hooks(offloaded)
    latents = offloaded(KEYPOINTS, output_type="latent").frames
    assert all_new(offloaded, before)
    before = hooks(offloaded)
    assert np.array_equal(np.stack(list(offloaded.decode_latents(latents))), expected)
    assert all_new(offloaded, before)
    before = hooks(offloaded)
    with pytest.raises(Cancelled):
        made(offloaded, cancelled=lambda: True)
    assert all_new(offloaded, before)
    offloaded.remove_all_hooks()
    assert not any(hasattr(part, "_hf_hook") for part in (offloaded.vae, offloaded.denoiser))


def test_parts_can_be_offloaded_module_by_module(expected):
    """As by ``enable_sequential_cpu_offload``, which accelerate has for no device named ``cpu:0``."""
    offloaded = tiny_pipeline()
    for name, part in offloaded.components.items():
        if isinstance(part, torch.nn.Module) and name != "conditioner":
            cpu_offload(part, torch.device("cpu"), offload_buffers=bool(part._parameters))
    assert offloaded.denoiser.unet.conv_in.weight.is_meta
    assert off(made(ready(offloaded)), expected) <= 1


def test_the_autoencoder_can_work_on_one_picture_after_another(own, expected):
    seen = []
    hook = own.vae.decoder.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    own.vae.enable_slicing()
    try:
        assert off(made(own), expected) <= 1
    finally:
        own.vae.disable_slicing()
        hook.remove()
    assert seen == [1, 1, 1]


def test_attention_that_cannot_see_references_is_refused():
    changed = ready()
    changed.denoiser.unet.set_attn_processor(AttnProcessor2_0())
    with pytest.raises(InvalidRequest, match="AttnProcessor2_0, which cannot see references"):
        changed(KEYPOINTS)


def test_arguments_stand_where_diffusers_has_them():
    from inspect import signature

    shared = signature(diffusers.AnimateDiffPipeline.__call__).parameters
    ours = signature(DurianPipeline.__call__).parameters
    both = [name for name in ours if name in shared and name not in ("self", "kwargs")]
    assert both == [name for name in shared if name in both]
    assert both[0] == "num_frames"
    assert len(both) == 11
    assert {name: shared[name].default for name in ("eta", "generator", "latents", "output_type", "return_dict")} == {
        name: ours[name].default for name in ("eta", "generator", "latents", "output_type", "return_dict")
    }
