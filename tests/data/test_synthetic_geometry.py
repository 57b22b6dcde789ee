"""The generator's geometry: camera, inverse perspective, vehicle masks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yolopv2.data.synthetic.bodies import KINDS, vehicle_mesh
from yolopv2.data.synthetic.camera import NEAR, Camera
from yolopv2.data.synthetic.canvas import Canvas
from yolopv2.data.synthetic.conditions import draw_conditions
from yolopv2.data.synthetic.perspective import RowTable
from yolopv2.data.synthetic.road import Alignment
from yolopv2.data.synthetic.traffic import slot_rng
from yolopv2.data.synthetic.vehicles import PlacedVehicle, Vehicle, VehiclePainter
from yolopv2.data.synthetic.viewpoint import Viewpoint

STRAIGHT = Alignment(np.array([[0.0, 100, 0]]), np.array([[0.0, 100, 0]]))

cameras = st.builds(
    Camera,
    height=st.integers(64, 720),
    width=st.integers(64, 1280),
    focal=st.floats(100, 1400),
    lens_height=st.floats(1, 2.5),
    pitch=st.floats(-0.15, 0.15),
    roll=st.floats(-0.08, 0.08),
)


@given(camera=cameras, x=st.floats(-20, 20), y=st.floats(2, 200), z=st.floats(0, 10))
def test_one_point_and_many_project_alike(camera, x, y, z):
    point = np.array([x, y, z])
    u, v, depth = camera.pixel(x, y, z)
    assert depth == pytest.approx(float(camera.depth(point)))
    np.testing.assert_allclose((u, v), camera.project(point), rtol=1e-9, atol=1e-6)


@given(camera=cameras)
def test_level_coordinates_undo_the_roll(camera):
    u, v = camera.level_coordinates()
    x, y = camera.from_level(u[::7, ::7].astype(float), v[::7, ::7].astype(float))
    columns, rows = np.meshgrid(np.arange(0, camera.width, 7), np.arange(0, camera.height, 7))
    np.testing.assert_allclose(x, columns, atol=1e-2)
    np.testing.assert_allclose(y, rows, atol=1e-2)


@given(camera=cameras, points=st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=3, max_size=6))
def test_what_is_left_by_the_near_plane_is_in_front_of_it(camera, points):
    cut = camera.clip_near(np.array(points))
    assert len(cut) == 0 or float(camera.depth(cut).min()) >= NEAR - 1e-9


@pytest.mark.parametrize("seed", range(6))
def test_inverse_perspective_undoes_projection(seed):
    rng = np.random.default_rng(seed)
    alignment = Alignment.draw(rng, bend=0.4, slope=0.04)
    camera = Camera(720, 1280, 1100.0, 1.4, -0.02, 0.02)
    stretch = alignment.ahead(100.0, 2.0, 0.01)
    s, t = rng.uniform(5, 60, 200), rng.uniform(-6, 6, 200)
    points = stretch.to_ego(100.0 + s, t)
    x, y = (camera.project(points) - ((camera.width - 1) / 2, (camera.height - 1) / 2)).T
    level_u, level_v = np.cos(0.02) * x + np.sin(0.02) * y, np.cos(0.02) * y - np.sin(0.02) * x
    table = RowTable.build(camera, stretch, 100.0)
    _, found_s, found_t = table.locate(level_u.astype(np.float32), level_v.astype(np.float32))
    quarter_row = points[:, 1] ** 2 / (4 * camera.focal * camera.lens_height)
    assert (np.abs(found_s - s) < 2 * quarter_row + 0.15).mean() > 0.98
    assert (np.abs(found_t - t) < 2 * quarter_row * (np.abs(t) + 2) / points[:, 1] + 0.03).mean() > 0.98


def test_a_point_of_the_road_is_where_the_array_says():
    stretch = Alignment.draw(np.random.default_rng(3), 0.4, 0.04).ahead(50.0, 1.0, 0.0)
    s = np.linspace(40, 300, 50)
    many = stretch.to_ego(s, 3.0)
    np.testing.assert_allclose([stretch.point(float(one), 3.0) for one in s], many, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", [0.0, 0.4, np.pi / 2, 2.6, np.pi])
@pytest.mark.parametrize("distance", [9.0, 40.0])
def test_a_vehicles_mask_is_what_was_painted(kind, turn, distance):
    magenta = (255, 0, 255)
    canvas = Canvas.blank(360, 640)
    canvas.image[:] = magenta
    conditions = draw_conditions(np.random.default_rng(1), "overcast", "day")
    view = Viewpoint(canvas, Camera(360, 640, 600.0, 1.5, -0.04, 0.01), STRAIGHT.ahead(0.0, 0.0, 0.0), conditions)
    vehicle = Vehicle(kind, (70, 110, 90), (1.0, 1.0, 1.0), distance, 0.0, turn, lights=False, braking=False)
    extent = VehiclePainter(view, beam=0.0).paint(PlacedVehicle.on(view.stretch, vehicle), label=7)
    painted = (canvas.image != magenta).any(axis=2)
    mask = canvas.labels == 7
    assert extent.pixels == mask.sum() > 50
    assert not (mask & ~painted).any()
    outside = painted & ~mask
    assert outside.sum() < 4 * np.sqrt(mask.sum()) + 8 * (np.abs(np.diff(mask.astype(int), axis=1)).sum()) / 4


@pytest.mark.parametrize("kind", KINDS)
def test_meshes_have_their_size(kind):
    for fine in (False, True):
        mesh = vehicle_mesh(kind, fine)
        length, width, height = mesh.size
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        assert high[2] == pytest.approx(height, abs=0.02)
        assert low[2] == pytest.approx(0.0, abs=0.02)
        assert high[1] - low[1] == pytest.approx(length, abs=0.15)
        assert high[0] - low[0] == pytest.approx(width, abs=0.15)


def test_places_have_chance_of_their_own():
    assert slot_rng(3, -5).random() == slot_rng(3, -5).random()
    assert slot_rng(3, -5).random() != slot_rng(3, 5).random()
