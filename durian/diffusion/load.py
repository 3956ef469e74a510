"""Opening of a model's folder as a pipeline on its device, complete and strict."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from diffusers.utils.logging import disable_progress_bar
from safetensors import safe_open

from durian.diffusion.find_model import ModelFound
from durian.diffusion.pipeline import DurianPipeline
from durian.errors import InvalidRequest, WeightsMissing
from durian.settings import get_settings

log = logging.getLogger(__name__)


def open_pipeline(model: ModelFound) -> DurianPipeline:
    """Load a model that is on this machine.

    In bfloat16 or float16 on a GPU, in float32 on a CPU, where half precision is slower.

    Raises:
        WeightsMissing: a file is damaged, or some of the model's numbers are in none of them.
        InvalidRequest: the settings ask for a GPU that is not there.
    """
    device = get_settings().torch_device()
    if device == "cuda" and not torch.cuda.is_available():
        raise InvalidRequest("DURIAN_DEVICE asks for cuda, but no GPU was found: set it to auto or cpu.")
    disable_progress_bar()
    try:
        pipeline = DurianPipeline.from_pretrained(
            model.source, dtype=_number_type(device), use_safetensors=True, local_files_only=True
        )
    except Exception as error:
        # Damaged files raise whatever the code behind them happens to meet.
        log.info("Opening %s failed.", model.name, exc_info=True)
        raise WeightsMissing(f"The diffusion model {model.name} cannot be opened: fetch it again.") from error
    check_complete(pipeline, model)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def _number_type(device: str) -> torch.dtype:
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def check_complete(pipeline: DurianPipeline, model: ModelFound) -> None:
    """Refuse a part that was only partly read: what is missing would be random numbers, and diffusers just warns."""
    for name, part in pipeline.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        stored: set[str] = set()
        for path in Path(model.source, name).glob("*.safetensors"):
            with safe_open(path, framework="pt") as file:
                stored.update(file.keys())
        missing = set(part.state_dict()) - stored
        if missing:
            raise WeightsMissing(
                f"The diffusion model {model.name} lacks {len(missing)} tensors of its {name.replace('_', ' ')}, "
                f"such as {min(missing)}: fetch it again."
            )
