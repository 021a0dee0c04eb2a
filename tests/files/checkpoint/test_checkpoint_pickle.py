"""The pickle reader: equal to Python's on data, inert on everything else, bounded on all of it."""

import argparse
import collections
import io
import pickle
import struct
import warnings
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedframe._files.checkpoint import read as read_checkpoint
from schedframe._files.checkpoint.broken import Broken
from schedframe._files.checkpoint.pickle import Inert, load

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=5).map(tuple)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])) | st.integers(-9, 9), inner, max_size=5)
    ),
    max_leaves=30,
)
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def read(data: bytes) -> object:
    return load(io.BytesIO(data))


@given(PLAIN, st.sampled_from(PROTOCOLS))
def test_plain_values_are_what_python_reads(value, protocol):
    data = pickle.dumps(value, protocol)
    assert read(data) == pickle.loads(data) == value
    file = io.BytesIO(b"xy" + data + b"z")
    file.seek(2)
    assert (load(file), file.read()) == (value, b"z")


def test_every_list_and_dict_of_every_size_is_what_python_reads():
    value = {
        "long": list(range(3000)),
        "wide": {str(key): key for key in range(3000)},
        "numbers": [0, 255, 256, 65_536, -1, 1 << 31, -(1 << 70), 1 << 1000],
        "text": "é" * 300,
    }
    for protocol in PROTOCOLS:
        assert read(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_and_recursive_values_keep_their_shape(protocol):
    inner = {"num_steps": 1}
    shared = read(pickle.dumps([inner, inner], protocol))
    assert shared[0] is shared[1]
    loop: dict = {}
    loop["self"] = loop
    again = read(pickle.dumps(loop, protocol))
    assert again["self"] is again


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_ordered_dict_is_a_dict(protocol):
    value = collections.OrderedDict(max_lr=1.0, num_steps=2)
    value.extra = "an attribute"
    assert read(pickle.dumps(value, protocol)) == {"max_lr": 1.0, "num_steps": 2}
    assert type(read(pickle.dumps(value, protocol))) is dict


class Reduced:
    def __init__(self, *reduction: object) -> None:
        self.reduction = reduction

    def __reduce__(self) -> tuple:
        return self.reduction


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("thing", "what"),
    [
        (print, "print"),
        (Reduced(exec, ("raise SystemExit",)), "exec"),
        (argparse.Namespace(lr=1.0), "argparse.Namespace"),
        (complex(1, 2), "complex"),
        (collections.deque([1, 2]), "collections.deque"),
        (collections.Counter("aab"), "collections.Counter"),
        (Reduced(collections.OrderedDict, ([["a", 1]],)), "collections.OrderedDict"),
    ],
)
def test_what_is_no_data_is_inert(thing, what, protocol):
    held = read(pickle.dumps({"a": [thing], "b": 3}, protocol))
    assert held["b"] == 3
    assert type(held["a"][0]) is Inert
    assert held["a"][0].what.endswith((what, "._reconstructor"))


@pytest.mark.parametrize("protocol", [4, 5])
def test_bytes_are_bytes_and_sets_are_inert(protocol):
    value = {"bytes": b"abc", "long bytes": b"a" * 300, "set": {1, 2}, "frozen": frozenset([3])}
    held = read(pickle.dumps(value, protocol))
    assert (held["bytes"], held["long bytes"]) == (b"abc", b"a" * 300)
    assert (held["set"].what, held["frozen"].what) == ("set", "frozenset")


def test_an_inert_object_keeps_what_it_would_have_been_built_with():
    held = read(pickle.dumps(argparse.Namespace(lr=1.0, iteration=3)))
    assert (held.what, held.state) == ("argparse.Namespace", {"lr": 1.0, "iteration": 3})


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"cposix\nsystem\n.", "posix.system"),
        (b"\x8c\x05posix\x8c\x06system\x93.", "posix.system"),
        (b"(S'id'\niposix\nsystem\n.", "posix.system"),
        (b"(cposix\nsystem\nS'id'\no.", "posix.system"),
        (b"cposix\nsystem\n)\x81.", "posix.system"),
        (b"cposix\nsystem\n)}\x92.", "posix.system"),
        (b"cposix\nsystem\n(S'id'\ntR.", "posix.system"),
        (b"\x82\x07.", "copyreg extension 7"),
        (b"\x83\x07\x01.", "copyreg extension 263"),
        (b"\x84\x07\0\0\0.", "copyreg extension 7"),
        (b"Pname\n.", "persistent object"),
        (b"NQ.", "persistent object"),
        (b"cx\ny\n}b.", "x.y"),
        (b"cx\ny\n(K\x01K\x02u.", "x.y"),
        (b"cx\ny\nK\x01K\x02s.", "x.y"),
        (b"cx\ny\n(K\x01e.", "x.y"),
        (b"cx\ny\nK\x01a.", "x.y"),
        (b"\x8f(K\x01\x90.", "set"),
        (b"cx\ny\n)R)R.", "x.y"),
        (b"cx\ny\nN\x81.", "x.y"),
    ],
)
def test_every_opcode_that_would_run_something_makes_an_inert_object(data, what):
    held = read(data)
    assert type(held) is Inert
    assert held.what == what


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"I01\n.", True),
        (b"I00\n.", False),
        (b"I-7\n.", -7),
        (b"L-7L\n.", -7),
        (b"F1e999\n.", float("inf")),
        (b"Fnan\n0F2.5\n.", 2.5),
        (b"S'a\\x41\\n'\n.", "aA\n"),
        (b'S"it"\n.', "it"),
        (b"Va\\u00e9\n.", "aé"),
        (b"U\x02ab.", "ab"),
        (b"U\x02\xff\xfe.", "\udcff\udcfe"),
        (b"X\x03\0\0\0\xed\xa0\x80.", "\ud800"),
        (b"\x95\xff\xff\xff\xff\xff\xff\xff\x3fK\x01.", 1),
        (b"\x95\0\0\0\0\0\0\0\0K\x01.", 1),
        (b"T\x02\0\0\0ab.", "ab"),
        (b"\x8b\x02\0\0\0\x01\x01.", 257),
        (b"(K\x01K\x022(l.", []),
        (b"(K\x01K\x02d.", {1: 2}),
        (b"(K\x01K\x021K\x05.", 5),
        (b"K\x01p0\n0g0\n.", 1),
        (b"K\x01p900\n0g900\n.", 1),
        (b"K\x01r\x84\x03\0\0K\x02q\x07q\x07h\x07\x87j\x84\x03\0\0\x86.", ((1, 2, 2), 1)),
        (b"K\x01q\0K\x02q\0h\0\x86.", (2, 2)),
    ],
)
def test_rare_opcodes_do_what_python_does(data, value):
    assert read(data) == value


@pytest.mark.parametrize("key", [(1, 2), 0.5, 1 << 70, (((),),)])
def test_a_key_whose_hash_a_file_could_choose_is_inert(key):
    (held,) = read(pickle.dumps({key: 1}))
    assert type(held) is Inert


def test_an_unhashable_key_is_inert():
    ((held, value),) = read(b"}(]K\x01u.").items()
    assert (held.what, value) == ("list", 1)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"N",
        b"\x80",
        b"\x80\x02",
        b"K",
        b"J\0\0\0",
        b"G\0",
        b"\x95\0\0",
        b"X\x05\0\0\0abc.",
        b"T\xff\xff\xff\xff.",
        b"B\xff\xff\xff\x7f.",
        b"\x8e" + b"\xff" * 8 + b".",
        b"\x8a\x05a.",
        b"\x8b\xff\xff\xff\xff.",
        b"\x8b\xff\xff\xff\x7f.",
        b"t.",
        b"u.",
        b"]e.",
        b"0.",
        b"2.",
        b"1.",
        b"\x85.",
        b"N\x86.",
        b"R.",
        b"NR.",
        b"K\x01)R.",
        b"(K\x01o.",
        b"])\x81.",
        b"X\x05\0\0\0print)R.",
        b"cx\ny\nQN)R.",
        b"b.",
        b"Nb.",
        b"Q.",
        b"(o.",
        b"h\x07.",
        b"j\x07\0\0\0.",
        b"g7\n.",
        b"g-1\n.",
        b"p\n.",
        b"Np4294967296\n.",
        b"Np-1\n.",
        b"\x8c\x02\xff\xfe.",
        b"V" + b"a" * 70_000 + b"\n.",
        b"\x80\x06N.",
        b"\xff.",
        b"\0.",
        b"q\0.",
        b"N}s.",
        b"K\x01(K\x02e.",
        b"K\x01K\x02K\x03s.",
        b"K\x01(K\x02K\x03u.",
        b"}(K\x01u.",
        b"(K\x01d.",
        b"I1x\n.",
        b"I1",
        b"Fx\n.",
        b"Sab\n.",
        b"S'\n.",
        b"S'\\x'\n.",
        b"V\\u00\n.",
        b"cos\n.",
        b"c\xff\nname\n.",
        b"NN\x93.",
        b"c" + b"a" * 70_000 + b"\nb\n.",
    ],
)
def test_a_broken_pickle_is_refused(data):
    with pytest.raises(Broken, match="cut short or damaged"):
        read(data)


def test_a_bytearray_that_is_not_there_is_refused():
    with pytest.raises(Broken, match="cut short or damaged"):
        read(b"\x96" + struct.pack("<Q", 1 << 40) + b".")


@pytest.mark.parametrize("data", [b"\x97.", b"C\x01aN\x98."])
def test_buffers_that_are_elsewhere_are_refused(data):
    with pytest.raises(Broken, match="holds a pickle whose buffers are elsewhere, which schedframe does not read"):
        read(data)


def test_a_bytearray_is_read_over():
    assert read(pickle.dumps([bytearray(b"x" * 1000), 7], 5))[1] == 7


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1", ">f8", ">i4"])
def test_a_scalar_of_numpy_is_its_number(kind, protocol):
    numpy = pytest.importorskip("numpy")
    value = numpy.array([1], numpy.dtype(kind))[0]
    back = read(pickle.dumps(value, protocol))
    assert (back, type(back)) == (value.item(), type(value.item()))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["c16", "S3", "M8[s]", "V2"])
def test_another_scalar_of_numpy_stays_inert(kind, protocol):
    numpy = pytest.importorskip("numpy")
    assert isinstance(read(pickle.dumps(numpy.zeros(1, kind)[0], protocol)), Inert | bytes)


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_of_numpy_beside_a_value_are_inert(protocol):
    numpy = pytest.importorskip("numpy")
    arrays = [numpy.zeros(3), numpy.zeros(1000), numpy.arange(4).reshape(2, 2).T]
    *inert, value = read(pickle.dumps([*arrays, 7], protocol))
    assert (list(map(type, inert)), value) == ([Inert] * 3, 7)


def test_many_entries_of_a_distributed_checkpoint_are_read(tmp_path):
    dcp = pytest.importorskip("torch.distributed.checkpoint")
    torch = pytest.importorskip("torch")
    tensor = torch.zeros(1)
    state = {"num_steps": 7, "max_lr": 1.0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = {str(index): tensor for index in range(20_000)}
        dcp.save({"scheduler": state, "model": model}, checkpoint_id=tmp_path, no_dist=True)
    assert read_checkpoint(tmp_path).state == state


def test_an_archive_of_many_entries_is_read(tmp_path):
    path, state = tmp_path / "model.pt", {"num_steps": 7, "max_lr": 1.0}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", pickle.dumps(state, 2))
        for index in range(100_000):
            file.writestr(f"model/data/{index}", b"")
    assert read_checkpoint(path).state == state


def test_a_pickle_has_no_more_operations_than_bytes():
    assert len(read(pickle.dumps([{} for _ in range(3_000_000)], 2))) == 3_000_000
