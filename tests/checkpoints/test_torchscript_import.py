"""The importer reads files of a network that somebody else wrote: other names, order, operations and forms."""

import copy
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from yolopv2.checkpoints.torchscript import TOLERANCE, import_torchscript
from yolopv2.errors import YolopError
from yolopv2.network import COCO_ANCHORS, Network, fuse
from yolopv2.network.network import calibrate

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")


class Unit(nn.Module):
    """Convolution (or its transpose), normalisation, SiLU; the normalisation can be folded, by PyTorch's own code."""

    def __init__(self, i, o, k=1, s=1, act=True, up=False):
        super().__init__()
        self.w = nn.ConvTranspose2d(i, o, 2, 2, bias=False) if up else nn.Conv2d(i, o, k, s, k // 2, bias=False)
        self.n = nn.BatchNorm2d(o, eps=1e-3)
        self.act, self.up = act, up

    def forward(self, x):
        y = self.n(self.w(x))
        return y * torch.sigmoid(y) if self.act else y

    def fold(self):
        self.w, self.n = fuse_conv_bn_eval(self.w, self.n, transpose=self.up), nn.Identity()


class Rep(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.small, self.large = Unit(i, o, 1, act=False), Unit(i, o, 3, act=False)

    def forward(self, x):
        return F.silu(self.large(x) if self.small is None else self.small(x) + self.large(x))

    def fold(self):
        self.large.w.weight.data += F.pad(self.small.w.weight, [1, 1, 1, 1])
        self.large.w.bias.data += self.small.w.bias
        self.small = None


class Stranger(nn.Module):
    """The network of the table in the documentation, written without a look at ours, at a quarter of the width."""

    def __init__(self, classes=4, width=0.25):
        super().__init__()
        torch.manual_seed(classes)

        def c(n):
            return n if width == 1 else max(8, round(n * width / 8) * 8)

        def elan(i, b, o):
            return nn.ModuleList(
                [Unit(i, c(b)), Unit(i, c(b)), *(Unit(c(b), c(b), 3) for _ in "1234"), Unit(4 * c(b), o)]
            )

        def wide(i, b, o):
            links = [Unit(c(b) if n == 0 else c(b) // 2, c(b) // 2, 3) for n in range(4)]
            return nn.ModuleList([Unit(i, c(b)), Unit(i, c(b)), *links, Unit(4 * c(b), o)])

        def down(i, b):
            return nn.ModuleList([Unit(i, c(b)), Unit(i, c(b)), Unit(c(b), c(b), 3, 2)])

        def csp(i, o):
            h = o // 2
            plain = [nn.Conv2d(h, h, 1, bias=False), nn.Conv2d(i, h, 1, bias=False), nn.BatchNorm2d(2 * h, eps=1e-3)]
            return nn.ModuleList([Unit(i, h), Unit(h, h), Unit(h, h, 3), *plain, Unit(2 * h, o)])

        c5, o3 = c(512), 3 * (5 + classes)
        self.m0 = nn.Sequential(
            Unit(3, c(32), 3), Unit(c(32), c(64), 3, 2), Unit(c(64), c(64), 3), Unit(c(64), c(128), 3, 2)
        )
        self.m1, self.m2 = elan(c(128), 64, c(256)), down(c(256), 128)
        self.m3, self.m4 = elan(2 * c(128), 128, c(512)), down(c(512), 256)
        self.m5, self.m6 = elan(2 * c(256), 256, c(1024)), down(c(1024), 512)
        self.m7 = elan(2 * c(512), 256, c(1024))
        spp = [Unit(c(1024), c5), Unit(c5, c5, 3), Unit(c5, c5), Unit(4 * c5, c5), Unit(c5, c5, 3), Unit(c(1024), c5)]
        self.m8 = nn.ModuleList([*spp, Unit(2 * c5, c5)])
        self.m9, self.m10, self.m11 = Unit(c5, c(256)), Unit(c(1024), c(256)), wide(2 * c(256), 256, c(256))
        self.m12, self.m13, self.m14 = Unit(c(256), c(128)), Unit(c(512), c(128)), wide(2 * c(128), 128, c(128))
        self.m15, self.m16 = down(c(128), 128), wide(2 * c(128) + c(256), 256, c(256))
        self.m17, self.m18 = down(c(256), 256), wide(2 * c(256) + c5, 512, c5)
        self.reps = nn.ModuleList([Rep(c(128), c(256)), Rep(c(256), c5), Rep(c5, c(1024))])
        hidden = (c(256), c5, c(1024))
        self.out = nn.ModuleList(nn.Conv2d(h, o3, 1) for h in hidden)
        self.ia = nn.ParameterList(torch.randn(1, h, 1, 1) / 10 for h in hidden)
        self.im = nn.ParameterList(1 + torch.randn(1, o3, 1, 1) / 10 for _ in hidden)
        self.r1, self.r2 = Unit(2 * c(256), c(256), 3), csp(c(256), c(128))
        self.r3, self.r4, self.r5 = Unit(c(128), c(64), 3), Unit(c(64), c(32), 3), Unit(c(32), c(16), 3)
        self.r6, self.r7 = csp(c(16), c(8)), Unit(c(8), 2, 3, act=False)
        self.g1, self.g2 = nn.Linear(2 * c(128), 4 * c(128), bias=False), nn.Linear(4 * c(128), 2 * c(128), bias=False)
        self.l1, self.l2 = Unit(2 * c(128), c(128), 3), Unit(c(128), c(128), up=True)
        self.l3, self.l4, self.l5 = csp(c(128), c(64)), Unit(c(64), c(32), 3), Unit(c(32), c(32), up=True)
        self.l6, self.l7, self.l8 = Unit(c(32), c(16), 3), csp(c(16), c(8)), Unit(c(8), c(8), up=True)
        self.l9 = Unit(c(8), 1, 3, act=False)
        self.register_buffer("anchor_grid", torch.tensor(COCO_ANCHORS).view(3, 1, 3, 1, 1, 2) + 1)
        calibrate(self)
        self.eval()

    def elan(self, m, x, step):
        links = [m[1](x)]  # the branch that goes on runs first here
        short = m[0](x)
        for unit in m[2:6]:
            links.append(unit(links[-1]))
        return m[6](torch.cat([*links[::-step], short], 1))

    def down(self, m, x, *extra):
        return torch.cat((m[2](m[1](x)), m[0](F.max_pool2d(x, 2)), *extra), dim=1)

    def csp(self, m, x):
        both = torch.cat([m[3](m[2](m[1](m[0](x)))), m[4](x)], 1)
        return m[6](F.leaky_relu(m[5](both), 0.1))

    def lane_head(self, f3):
        gate = self.g2(F.silu(self.g1(F.adaptive_avg_pool2d(f3, 1).flatten(1)))).sigmoid()
        y = self.l1(f3 + f3 * gate.view(f3.shape[0], -1, 1, 1).expand_as(f3))
        return self.l9(self.l8(self.csp(self.l7, self.l6(self.l5(self.l4(self.csp(self.l3, self.l2(y))))))))

    def road_head(self, f4):
        y = self.r3(self.csp(self.r2, self.double(self.r1(f4))))
        return self.r7(self.double(self.csp(self.r6, self.r5(self.double(self.r4(self.double(y)))))))

    def double(self, x):
        return F.interpolate(x, scale_factor=2.0)

    def forward(self, x):
        p3 = self.elan(self.m3, self.down(self.m2, self.elan(self.m1, self.m0(x), 2)), 2)
        p4 = self.elan(self.m5, self.down(self.m4, p3), 2)
        x = self.elan(self.m7, self.down(self.m6, p4), 2)
        s = self.m8[2](self.m8[1](self.m8[0](x)))
        pools = [F.max_pool2d(s, k, 1, k // 2) for k in (5, 9, 13)]
        p5 = self.m8[6](torch.cat([self.m8[4](self.m8[3](torch.cat([s, *pools], 1))), self.m8[5](x)], 1))
        f4 = torch.cat([self.m10(p4), self.double(self.m9(p5))], 1)
        t4 = self.elan(self.m11, f4, 1)
        f3 = torch.cat([self.m13(p3), self.double(self.m12(t4))], 1)
        lanes, road = self.lane_head(f3).sigmoid(), self.road_head(f4).sigmoid()  # before detection, unlike ours
        n3 = self.elan(self.m14, f3, 1)
        n4 = self.elan(self.m16, self.down(self.m15, n3, t4), 1)
        n5 = self.elan(self.m18, self.down(self.m17, n4, p5), 1)
        maps = [
            im * conv(ia.expand_as(h) + h)
            for h, ia, im, conv in zip(
                [rep(n) for rep, n in zip(self.reps, (n3, n4, n5), strict=True)],
                self.ia,
                self.im,
                self.out,
                strict=True,
            )
        ]
        return (tuple(maps), tuple(self.anchor_grid.unbind())), road, lanes

    def folded(self, deconvolutions=True):
        """A copy with the normalisations folded, as files are released."""
        other = copy.deepcopy(self)
        for module in other.modules():
            if isinstance(module, Unit) and (deconvolutions or not module.up):
                module.fold()
        for rep in other.reps:
            rep.fold()
        return other


def traced(module, size=(64, 96), dtype=torch.float32):
    return torch.jit.trace(module.to(dtype), torch.zeros(1, 3, *size, dtype=dtype), check_trace=False)


def assert_equal(stranger, network, size=(96, 160)):
    image = torch.rand(2, 3, *size)
    with torch.inference_mode():
        (maps, grid), road, lanes = stranger.float()(image)
        ours = network(image)
    for mine, theirs in zip(
        [*ours.detections, ours.drivable.sigmoid(), ours.lanes.sigmoid()], [*maps, road, lanes], strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-4)
    assert torch.equal(network.anchors, torch.stack(grid).view(3, 3, 2))


def has_norms(network):
    return any("encoder" in name and "running_mean" in name for name in network.state_dict())


@pytest.fixture(scope="module")
def stranger():
    return Stranger()


@pytest.fixture(scope="module")
def traced_stranger(stranger):
    return traced(stranger)


def test_training_form_keeps_its_normalisation(stranger, traced_stranger, tmp_path):
    traced_stranger.save(tmp_path / "x.pt")
    found = import_torchscript(tmp_path / "x.pt")
    assert_equal(stranger, found.network)
    assert has_norms(found.network)
    assert found.layers == 131 + 2 + 4  # convolutions, linear layers, normalisations after a concatenation
    assert max(found.differences.values()) < 1e-9
    assert found.network.classes == 4


@pytest.mark.parametrize(
    ("deconvolutions", "dtype"),
    [(True, torch.float32), (False, torch.float16)],
    ids=["float32, bias in deconvolutions", "float16, norm after deconvolutions"],
)
def test_folded_form(stranger, tmp_path, deconvolutions, dtype):
    released = stranger.folded(deconvolutions)
    traced(released, (96, 64), dtype).save(tmp_path / "x.pt")
    found = import_torchscript(tmp_path / "x.pt")
    assert_equal(released, found.network)
    assert not has_norms(found.network)
    assert set(found.network.state_dict()) == set(fuse(Network("nano", 4)).state_dict())
    assert found.layers == 128 + 2 + 4


@pytest.mark.parametrize(("dtype", "optimised"), [(torch.float32, True), (torch.float16, False)])
def test_frozen_files_hold_constants(stranger, tmp_path, dtype, optimised):
    module = copy.deepcopy(stranger).to(dtype)
    torch.jit.freeze(traced(module, dtype=dtype), optimize_numerics=optimised).save(tmp_path / "x.pt")
    found = import_torchscript(tmp_path / "x.pt")
    assert_equal(module, found.network)
    assert has_norms(found.network) != optimised  # its optimisation folds them


def test_lists_from_a_scripted_shell(stranger, traced_stranger, tmp_path):
    class Shell(nn.Module):
        def __init__(self, core):
            super().__init__()
            self.core = core

        def forward(self, x):
            (maps, grid), road, lanes = self.core(x)
            return [[maps[0], maps[1], maps[2]], [grid[0], grid[1], grid[2]]], road, lanes

    torch.jit.script(Shell(traced_stranger)).save(tmp_path / "x.pt")
    assert_equal(stranger, import_torchscript(tmp_path / "x.pt").network)


def test_a_file_that_runs_at_one_size_only(stranger, tmp_path):
    class Fixed(Stranger):
        def double(self, x):
            return F.interpolate(x, size=(2 * int(x.shape[2]), 2 * int(x.shape[3])))

    fixed = Fixed()
    traced(fixed, (64, 96)).save(tmp_path / "x.pt")
    found = import_torchscript(tmp_path / "x.pt")
    assert found.sizes == ((64, 96),)
    assert_equal(fixed, found.network)


def test_a_program_that_insists_on_float32(stranger, tmp_path):
    class Insists(Stranger):
        def double(self, x):
            return super().double(x).to(torch.float32)

    insists = Insists()
    traced(insists).save(tmp_path / "x.pt")
    assert_equal(insists, import_torchscript(tmp_path / "x.pt").network)


def test_the_released_size_and_form(tmp_path):
    network = Network("base")
    calibrate(network)
    released = fuse(network)

    class Release(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = released
            self.register_buffer("anchor_grid", released.anchors.view(3, 1, 3, 1, 1, 2).clone())

        def forward(self, x):
            out = self.model(x)
            pred = tuple(out.detections)
            return (pred, tuple(self.anchor_grid.unbind())), out.drivable.sigmoid(), out.lanes.sigmoid()

    traced(Release(), (64, 64)).save(tmp_path / "yolopv2.pt")
    found = import_torchscript(tmp_path / "yolopv2.pt").network
    assert (found.variant_name, found.classes) == ("base", 80)
    for name, tensor in released.state_dict().items():
        assert torch.equal(found.state_dict()[name], tensor), name


class Leaky(Stranger):
    """One activation is another one."""

    def road_head(self, f4):
        return super().road_head(F.leaky_relu(f4))


class Reordered(Stranger):
    """One concatenation is the other way round."""

    def csp(self, m, x):
        both = torch.cat([m[4](x), m[3](m[2](m[1](m[0](x))))], 1)
        return m[6](F.leaky_relu(m[5](both), 0.1))


@pytest.mark.parametrize(("kind", "output"), [(Leaky, "drivable"), (Reordered, "lanes")])
def test_another_operation_is_refused_with_the_difference(tmp_path, kind, output):
    traced(kind()).save(tmp_path / "x.pt")
    with pytest.raises(YolopError, match=f"placed: 137 of the file's 137 layers\n.*{output} 0.[0-9]") as refusal:
        import_torchscript(tmp_path / "x.pt")
    assert f"allowed: {TOLERANCE:g}" in str(refusal.value)
    assert re.search(r"detection stride 8 [0-9.]+e-1[0-9]", str(refusal.value))


def test_another_layer_is_named(tmp_path):
    other = Stranger()
    other.r4 = Unit(16, 8, 1)
    traced(other).save(tmp_path / "x.pt")
    with pytest.raises(YolopError, match="nothing was imported") as refusal:
        import_torchscript(tmp_path / "x.pt")
    assert "conv 1x1 16->8 (r4.w)" in str(refusal.value)
    assert "conv 3x3 16->8" in str(refusal.value)


def test_another_network(tmp_path):
    traced(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())).save(tmp_path / "x.pt")
    with pytest.raises(YolopError, match=r"it returns \[2, 8, 62, 94\], and no output that could be: detection"):
        import_torchscript(tmp_path / "x.pt")
    traced(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 5))).save(tmp_path / "y.pt")
    with pytest.raises(YolopError, match=r"is not YOLOPv2: .* \[2, 5\]"):
        import_torchscript(tmp_path / "y.pt")
    traced(nn.Flatten()).save(tmp_path / "z.pt")
    with pytest.raises(YolopError, match="is not YOLOPv2"):
        import_torchscript(tmp_path / "z.pt")


class Shapes(nn.Module):
    """Returns what the network returns, by shape, from one convolution of a width that no variant has."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, padding=1)

    def forward(self, x):
        y = self.stem(x)
        maps = [F.avg_pool2d(torch.cat([y, y], 1), stride) for stride in (8, 16, 32)]
        return tuple(maps), y[:, :2].sigmoid(), y[:, :1].sigmoid()


def test_another_width(tmp_path):
    traced(Shapes()).save(tmp_path / "x.pt")
    with pytest.raises(YolopError, match=r"has 12 channels \(known: 8, 16, 32\)"):
        import_torchscript(tmp_path / "x.pt")


def test_a_truncated_file(traced_stranger, tmp_path):
    traced_stranger.save(tmp_path / "x.pt")
    data = (tmp_path / "x.pt").read_bytes()
    (tmp_path / "y.pt").write_bytes(data[: len(data) // 2])
    with pytest.raises(YolopError, match="is it complete"):
        import_torchscript(tmp_path / "y.pt")
