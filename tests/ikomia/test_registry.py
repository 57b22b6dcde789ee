"""Tasks of one's own are offered beside the package's; files that define none are refused in plain words."""

from pathlib import Path

import numpy as np
import pytest

from yolopv2.data.synthetic import render_scene
from yolopv2.errors import YolopError
from yolopv2.ikomia import Workflow, load_tasks
from yolopv2.ikomia.registry import TASKS

EXAMPLE = Path(__file__).parents[2] / "examples" / "blur_task.py"


@pytest.fixture(autouse=True)
def registry():
    before = dict(TASKS)
    yield
    TASKS.clear()
    TASKS.update(before)


def test_a_task_of_ones_own_takes_part_in_workflows(tmp_path):
    assert load_tasks(EXAMPLE) == ["blur"]
    image = render_scene(119, height=180, width=320).image
    wf = Workflow()
    seen = wf.add_task(name="infer_yolop_v2", params={"input_size": 320}, auto_connect=True)
    blur = wf.add_task(name="blur", params={"strength": "0.5"}, auto_connect=True)
    wf.run_on(array=image)
    blurred = blur.get_output(0).get_image()
    changed = (blurred != image).any(axis=-1)
    inside = np.zeros_like(changed)
    for x1, y1, x2, y2 in seen.get_output(1).scene.vehicles.xyxy.clip(0).astype(int):
        inside[y1:y2, x1:x2] = True
    assert changed.any()
    assert not changed[~inside].any()
    wf.save(tmp_path / "wf.json")
    again = Workflow()
    again.load(tmp_path / "wf.json")
    assert again.find_task("blur", 0).get_parameters() == {"strength": "0.5"}
    with pytest.raises(YolopError, match="blur, parameter 'strength'"):
        blur.set_parameters({"strength": 2})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "defines no task"),
        ("from yolopv2.ikomia import Task\nclass A(Task):\n    pass\n", "defines no task"),
        ("from yolopv2.ikomia.steps import Draw\n", "defines no task"),
        ("from yolopv2.ikomia import Task\nclass A(Task):\n    name = 'draw'\n", "a name of this package's own"),
        ("x = 1\nprint(y)\n", "tasks.py, line 2: NameError"),
        ("def (", "SyntaxError"),
    ],
)
def test_files_without_sound_tasks_are_refused(tmp_path, text, told):
    before = dict(TASKS)
    (tmp_path / "tasks.py").write_text(text)
    with pytest.raises(YolopError, match=told):
        load_tasks(tmp_path / "tasks.py")
    assert before == TASKS


@pytest.mark.parametrize("name", ["missing.py", "notes.txt", "."])
def test_what_is_no_python_file_is_refused(tmp_path, name):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(YolopError, match="no Python file"):
        load_tasks(tmp_path / name)
