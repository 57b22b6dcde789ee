"""Files: written whole or not at all, whatever interrupts the program; and their checksums."""

import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from yolopv2.errors import YolopError

_SUFFIXES = {".jpg": ".jpg", ".jpeg": ".jpg", ".png": ".png"}
_JPEG_QUALITY = 90

CACHE_VARIABLE = "YOLOPV2_CACHE"
"""Environment variable that names another folder for downloaded weights and compiled graphs."""


def cache_folder() -> Path:
    """Where downloads and compiled graphs are kept: ``YOLOPV2_CACHE``, or the user's cache folder of this system."""
    override = os.environ.get(CACHE_VARIABLE)
    if override:
        return Path(override).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("yolopv2"))


def hidden_path(path: str | os.PathLike[str]) -> Path:
    """A hidden temporary name beside a file that is to be written; missing folders are made.

    Args:
        path: Where the file is to be in the end.

    Returns:
        A path that does not exist yet, in the same folder, so that a rename is atomic.

    Raises:
        OSError: If a folder cannot be made.
    """
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f".{secrets.token_hex(8)}.part"


def cannot_write(path: str | os.PathLike[str], error: OSError) -> YolopError:
    """The error that tells a user why a file could not be written.

    Args:
        path: The file.
        error: What the system said.

    Returns:
        The error, to be raised.
    """
    advice = "free some space" if error.errno == errno.ENOSPC else "choose another output folder"
    return YolopError(f"cannot write {path}: {error.strerror or error}; {advice}")


def require_folder(path: str | os.PathLike[str]) -> None:
    """Names a folder that cannot be written to before the work on a file for it, not after it.

    Args:
        path: Where the file is to be in the end.

    Raises:
        YolopError: It could not be written.
    """
    nearest = next(parent for parent in Path(path).absolute().parents if parent.exists())
    if not nearest.is_dir():
        raise cannot_write(path, NotADirectoryError(20, "there is a file where a folder should be"))
    if not os.access(nearest, os.W_OK):
        raise cannot_write(path, PermissionError(13, f"no permission to write into {nearest}"))


def write_bytes_atomic(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file whole: temporary file, then rename.

    Args:
        path: The file; missing folders are made, an existing file is replaced.
        data: Its content.

    Raises:
        YolopError: If it cannot be written.
    """
    try:
        temporary = hidden_path(path)
        try:
            temporary.write_bytes(data)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def copy_file_atomic(source: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Copy a file's bytes whole: temporary file, then rename.

    Args:
        source: The file.
        path: Where to; missing folders are made, an existing file is replaced.

    Raises:
        YolopError: If it cannot be read or written.
    """
    try:
        temporary = hidden_path(path)
        try:
            shutil.copyfile(source, temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_text_atomic(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 text file whole: temporary file, then rename; line ends are kept as they are.

    Args:
        path: The file; missing folders are made, an existing file is replaced.
        text: Its content.

    Raises:
        YolopError: If it cannot be written.
    """
    write_bytes_atomic(path, text.encode())


def sha256(path: str | os.PathLike[str]) -> str:
    """Checksum of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def encode_image(image: NDArray[np.uint8], suffix: str, quality: int = _JPEG_QUALITY) -> bytes:
    """A picture as the bytes of a file.

    Args:
        image: uint8, ``[H, W, 3]`` RGB or ``[H, W]`` grey.
        suffix: ``.jpg``, ``.jpeg`` or ``.png``.
        quality: Of a JPEG, 1 to 100.

    Raises:
        YolopError: If the suffix is another one, or the picture does not fit into the format.
    """
    kind = _SUFFIXES.get(suffix.lower())
    if kind is None:
        raise YolopError(f"pictures are written as .jpg or .png, not as {suffix or 'a file without a suffix'}")
    bgr = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    try:
        done, encoded = cv2.imencode(kind, bgr, [cv2.IMWRITE_JPEG_QUALITY, quality] if kind == ".jpg" else [])
    except cv2.error:
        done = False
    if not done:
        raise YolopError(f"a picture of shape {image.shape} does not fit into the format {suffix}")
    return encoded.tobytes()


def write_image(path: str | os.PathLike[str], image: NDArray[np.uint8], quality: int = _JPEG_QUALITY) -> None:
    """Write a picture whole, JPEG or PNG by the suffix.

    Args:
        path: ``.jpg``, ``.jpeg`` or ``.png``.
        image: uint8, ``[H, W, 3]`` RGB or ``[H, W]`` grey.
        quality: Of a JPEG, 1 to 100.

    Raises:
        YolopError: If the suffix is another one, the picture cannot be encoded, or the file cannot be written.
    """
    try:
        content = encode_image(image, Path(path).suffix, quality)
    except YolopError as error:
        raise YolopError(f"cannot write {path}: {error}") from None
    write_bytes_atomic(path, content)
