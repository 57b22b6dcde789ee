"""Putting the plugins into a real Ikomia."""

import hashlib
import importlib.util
import json
import os
import secrets
import shutil
from pathlib import Path

import yaml

from yolopv2.errors import YolopError
from yolopv2.files import cannot_write

PLUGINS = Path(__file__).parent / "plugins"
"""The plugins, as they are installed: a folder each."""

_RECORD = "installed.json"
"""File of an installed plugin that says what was installed."""


def plugin_names() -> list[str]:
    """Names of the plugins."""
    return sorted(path.name for path in PLUGINS.iterdir() if (path / "__init__.py").is_file())


def plugins_folder() -> Path:
    """Where Ikomia looks for plugins in Python: as its own configuration says, or ``~/Ikomia/Plugins/Python``.

    Ikomia itself is not imported, since that makes folders and files.
    """
    configured: dict[str, str] = {"root": "", "registry": ""}
    found = importlib.util.find_spec("ikomia")
    for place in found.submodule_search_locations or [] if found else []:
        path = Path(place, "core", "config.yaml")
        try:
            values = yaml.safe_load(path.read_text(encoding="utf-8"))
            configured = {
                "root": values.get("root_folder") or "",
                "registry": (values.get("registry") or {}).get("path") or "",
            }
        except (OSError, ValueError, AttributeError, yaml.YAMLError):
            continue
    root = Path(configured["root"]) if configured["root"] else Path.home() / "Ikomia"
    return (Path(configured["registry"]) if configured["registry"] else root / "Plugins") / "Python"


def install_plugins(folder: Path, force: bool = False) -> dict[str, str]:
    """Installs all plugins, each whole or not at all; what is there already and ours is brought up to date.

    Args:
        folder: Where to, a folder for each plugin in it.
        force: Whether a plugin of the same name that is somebody else's, or was changed, is replaced.

    Returns:
        For each plugin ``installed``, ``updated`` or ``unchanged``.

    Raises:
        YolopError: A plugin of the same name is somebody else's, or was changed; nothing is installed then. Or the
            folder cannot be written to.
    """
    names = plugin_names()
    if not force:
        for name in names:
            _refuse_foreign(folder / name)
    return {name: _install(PLUGINS / name, folder / name) for name in names}


def _refuse_foreign(target: Path) -> None:
    if target.exists() and _recorded(target) != _checksums(target):
        raise YolopError(
            f"{target} is there already and is not what this package installed, or was changed since: "
            "move it away, or replace it with --force"
        )


def _install(source: Path, target: Path) -> str:
    wanted = _checksums(source)
    if target.exists() and _recorded(target) == wanted == _checksums(target):
        return "unchanged"
    there = target.exists()
    new, old = (target.with_name(f".{secrets.token_hex(8)}.part") for _ in range(2))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, new, ignore=shutil.ignore_patterns("__pycache__"))
        (new / _RECORD).write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
        if there:
            os.replace(target, old)
        os.replace(new, target)
    except OSError as error:
        if old.exists() and not target.exists():
            os.replace(old, target)
        raise cannot_write(target, error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return "updated" if there else "installed"


def _checksums(folder: Path) -> dict[str, str]:
    """Checksums of all files of a plugin by their path in it, without what Python and this module add."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name != _RECORD
    }


def _recorded(folder: Path) -> dict[str, str] | None:
    """What was installed, or None where nobody knows."""
    try:
        recorded = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return recorded if isinstance(recorded, dict) else None
