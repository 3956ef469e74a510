"""Reading and writing of pictures and videos: formats, rotation, limits, H.264, GIF, frame archives, marks."""

from durian.media.audio import read_audio
from durian.media.decoding import pixel_count
from durian.media.files import atomic_output, check_together, open_regular
from durian.media.images import Picture, encode_png, read_image, read_picture, write_image
from durian.media.metadata import COMMENT, DIGITAL_SOURCE_TYPE, TITLE, read_metadata
from durian.media.probing import VideoInfo, check_length, probe_video
from durian.media.reading import Video, iter_lossless, iter_video, read_video
from durian.media.writing import VideoWriter, write_frames_zip, write_gif, write_video

__all__ = [
    "COMMENT",
    "DIGITAL_SOURCE_TYPE",
    "TITLE",
    "Picture",
    "Video",
    "VideoInfo",
    "VideoWriter",
    "atomic_output",
    "check_length",
    "check_together",
    "encode_png",
    "iter_lossless",
    "iter_video",
    "open_regular",
    "pixel_count",
    "probe_video",
    "read_audio",
    "read_image",
    "read_metadata",
    "read_picture",
    "read_video",
    "write_frames_zip",
    "write_gif",
    "write_image",
    "write_video",
]
