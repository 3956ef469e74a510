"""Codecs of people's videos, by FFmpeg's names. It reads hundreds, and each is code that a stranger's file may run."""

from __future__ import annotations

from functools import lru_cache

PICTURE_CODECS = (
    *("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mjpeg", "h263"),
    *("dvvideo", "prores", "dnxhd", "qtrle", "png", "ffv1", "gif", "apv", "cfhd", "msmpeg4v3"),
)
"""Of telephones, browsers, cameras and editing programs; ``ffv1`` is what archives keep, ``png`` and ``qtrle`` have
transparency."""
SOUND_CODECS = (
    *("aac", "mp3", "mp2", "opus", "vorbis", "flac", "alac", "ac3", "eac3", "amr_nb", "amr_wb"),
    *("adpcm_ima_wav", "adpcm_ms"),
)
"""Of the same, and whatever begins with :data:`PLAIN_SOUND`."""
PLAIN_SOUND = "pcm_"
CHECKED = ("mjpeg", "png")
"""Pictures of which each is looked at before it is decoded."""


def is_read(canonical_name: str) -> bool:
    """Whether what is coded so is read, pictures or sound."""
    return canonical_name in PICTURE_CODECS + SOUND_CODECS or canonical_name.startswith(PLAIN_SOUND)


@lru_cache(maxsize=1)
def decoders_at_opening() -> str:
    """The names of the decoders that may run as a file is opened, as FFmpeg's ``codec_whitelist`` has them: those of
    sound. It runs them on every track, however many there are; pictures are decoded of one track, and only later."""
    import av

    names = []
    for name in sorted(av.codecs_available):
        try:
            codec = av.Codec(name, "r")
        except ValueError:
            # An encoder alone.
            continue
        if is_read(codec.canonical_name) and codec.type == "audio":
            names.append(name)
    return ",".join(names)
