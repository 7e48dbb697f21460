"""Makes the files of this folder's `files`, as training programs write them.

    python weights/tests/make_files.py

Written with Python 3.11, torch 2.15.0, numpy 2.4.6 and safetensors 0.8.0; other versions write other
bytes, which read the same. Two runs of one version write the same bytes.

All values follow one formula, which `real/main.rs` has too: element i, in row-major order, of the
tensor with seed s is ((7 * i + s) mod 64 - 20) / 8. Every type of float holds these numbers exactly.
"""

import argparse
import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from safetensors.torch import save_file
from torch import nn

FILES = Path(__file__).parent / "files"


def tensor(seed, *shape, dtype=torch.float32):
    count = int(numpy.prod(shape)) if shape else 1
    values = [((7 * i + seed) % 64 - 20) / 8 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).to(dtype)


def whole(seed, *shape, dtype=torch.int64):
    """Whole numbers: (7 * i + seed) mod 64, minus 20 where the type has a sign."""
    minus = 0 if dtype in (torch.uint8, torch.uint16, torch.uint32, torch.uint64) else 20
    count = int(numpy.prod(shape)) if shape else 1
    values = [(7 * i + seed) % 64 - minus for i in range(count)]
    return torch.tensor(values).reshape(shape).to(dtype)


class Tiny(nn.Module):
    """A convolution, a norm and a linear layer, like the start and the end of a ResNet."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(2)
        self.fc = nn.Linear(2, 3)
        for seed, (name, value) in enumerate(self.state_dict().items()):
            filled = whole(seed) if value.dtype == torch.int64 else tensor(seed, *value.shape)
            value.copy_(filled)

    def forward(self, x):
        return self.fc(self.bn1(self.conv1(x)).mean((2, 3)))


def save(name, value, **options):
    # To memory first: from a path, torch takes the archive's folder, and it would be part of the
    # bytes that make the archive's identifier.
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    (FILES / name).write_bytes(buffer.getvalue())


def legacy(name, value):
    """In the format before PyTorch 1.6. It names storages by their addresses, which differ from run
    to run: they are named by numbers of the same length instead."""
    buffer = io.BytesIO()
    torch.save(value, buffer, _use_new_zipfile_serialization=False)
    data = buffer.getvalue()
    stream = io.BytesIO(data)
    element_bytes = {}

    class Reader(pickle.Unpickler):
        def persistent_load(self, identity):
            _, storage, key, *_ = identity
            element_bytes.setdefault(key, torch._utils._element_size(storage.dtype))

        def find_class(self, module, name):
            if name.endswith("Storage"):
                return torch.serialization.StorageType(name)
            return OrderedDict if name == "OrderedDict" else lambda *arguments: None

    for _ in range(3):  # The magic number, the version, the sizes of C types.
        pickle.load(stream)
    Reader(stream).load()
    head = data[: stream.tell()]
    storages = {}
    for key in pickle.load(stream):
        count = stream.read(8)
        storages[key] = count + stream.read(int.from_bytes(count, "little") * element_bytes[key])
    assert stream.read() == b""

    names = {key: str(index).zfill(len(key)) for index, key in enumerate(element_bytes)}
    for key, new in names.items():
        head = head.replace(key.encode(), new.encode())
    keys = pickle.dumps(list(names.values()), protocol=2)
    content = head + keys + b"".join(storages[key] for key in names)
    torch.load(io.BytesIO(content), weights_only=True)
    (FILES / name).write_bytes(content)


def packed_again(source, target, compression=zipfile.ZIP_STORED):
    """The same entries as another program would pack them, without the paths of TorchScript's
    sources."""
    with zipfile.ZipFile(FILES / source) as old, zipfile.ZipFile(FILES / target, "w") as new:
        for entry in old.infolist():
            if not entry.filename.endswith(".debug_pkl"):
                same_date = zipfile.ZipInfo(entry.filename)
                same_date.compress_type = compression
                new.writestr(same_date, old.read(entry))


def dtypes():
    return OrderedDict(
        f16=tensor(1, 2, 3, dtype=torch.float16),
        bf16=tensor(2, 2, 3, dtype=torch.bfloat16),
        f32=tensor(3, 2, 3),
        f64=tensor(4, 2, 3, dtype=torch.float64),
        i8=whole(5, 3, dtype=torch.int8),
        i16=whole(6, 3, dtype=torch.int16),
        i32=whole(7, 3, dtype=torch.int32),
        i64=whole(8, 3, dtype=torch.int64),
        u8=whole(9, 3, dtype=torch.uint8),
        bool=torch.tensor([True, False, True]),
    )


def views():
    base = tensor(1, 4, 6)
    return {
        "base": base,
        "transposed": base.t(),
        "sliced": base[1:3, 2:5],
        "stepped": base[::2, ::3],
        "row": base[2],
        "permuted": tensor(2, 2, 3, 4).permute(2, 0, 1),
        "channels_last": tensor(3, 2, 3, 2, 2).to(memory_format=torch.channels_last),
        "expanded": tensor(4, 1).expand(5, 3),
        "scalar": tensor(5),
        "empty": torch.empty(0, 3),
        "inner": base[1, 2],
    }


def checkpoint():
    """As the usual training loop writes it."""
    model = Tiny()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(tensor(0, 2, 1, 5, 5)).sum().backward()
    optimizer.step()
    arguments = argparse.Namespace(lr=0.1, path=Path("data"), names=["a", "b"], none=None)
    return {
        "epoch": 7,
        "args": arguments,
        "best": numpy.float64(0.75),
        "history": [(0, 0.5), (1, 0.25)],
        "big": 2**100,
        "seen": {1, 2},
        "random": numpy.arange(3),
        "function": torch.nn.functional.relu,
        "state_dict": Tiny().state_dict(),
        "optimizer": optimizer.state_dict(),
        "loss": tensor(9),
    }


def main():
    FILES.mkdir(exist_ok=True)
    for old in FILES.iterdir():
        old.unlink()
    torch.manual_seed(0)
    state_dict = Tiny().state_dict()

    save("plain.pth", state_dict)
    legacy("plain_legacy.pth", state_dict)
    for protocol in (3, 4, 5):
        save(f"protocol{protocol}.pth", state_dict, pickle_protocol=protocol)
    save("dtypes.pth", dtypes())
    legacy("dtypes_legacy.pth", dtypes())
    save("unsigned.pth", {
        "u16": whole(1, 3, dtype=torch.uint16),
        "u32": whole(2, 3, dtype=torch.uint32),
        "u64": whole(3, 3, dtype=torch.uint64),
    })
    save("views.pth", views())
    legacy("views_legacy.pth", views())
    save("parameters.pth", {
        "weight": nn.Parameter(tensor(1, 2, 3)),
        "frozen": nn.Parameter(tensor(2, 2), requires_grad=False),
        "buffer": nn.Buffer(tensor(3, 2)),
    })
    marked = nn.Parameter(tensor(1, 2, 3))
    marked.no_decay = True
    save("marked_parameter.pth", {"weight": marked})
    save("checkpoint.pth", checkpoint())
    save("data_parallel.pth", {"model": {f"module.{k}": v for k, v in state_dict.items()}})
    save("nested.pth", {"epoch": 1, "model": {"state_dict": state_dict, "version": 2}})
    save("averaged.pth", {
        "model_ema": OrderedDict(a=tensor(1, 2)),
        "model": OrderedDict(a=tensor(2, 2)),
    })
    save("unknown_key.pth", {"my_resnet": state_dict, "epoch": 3})
    save("two_keys.pth", {"first": {"a": tensor(1, 2)}, "second": {"a": tensor(2, 2)}})
    save("whole_module.pth", Tiny())
    save("module_inside.pth", {"epoch": 1, "model": Tiny()})
    save("single_tensor.pth", tensor(1, 3))
    save("no_tensors.pth", {"epoch": 1, "lr": 0.1})
    save("complex.pth", {"fine": tensor(1, 2), "z": torch.zeros(2, dtype=torch.complex64)})
    save("sparse.pth", {"fine": tensor(1, 2), "s": torch.eye(3).to_sparse()})
    save("float8.pth", {"w": tensor(1, 2).to(torch.float8_e4m3fn)})
    save("huge_expanded.pth", {"w": torch.zeros(1).expand(1 << 20, 1 << 20)})
    torch.serialization.set_crc32_options(False)
    save("no_checksums.pth", {"a": tensor(1, 2)})
    torch.serialization.set_crc32_options(True)
    torch.jit.trace(Tiny().eval(), tensor(0, 2, 1, 5, 5)).save(str(FILES / "traced.pt"))
    packed_again("traced.pt", "script.pt", zipfile.ZIP_DEFLATED)
    (FILES / "traced.pt").unlink()
    packed_again("plain.pth", "compressed.pth", zipfile.ZIP_DEFLATED)
    # As if all sizes and offsets above this were too large for 32 bits.
    zipfile.ZIP64_LIMIT = 16
    packed_again("plain.pth", "zip64.pth")

    save_file(state_dict, FILES / "plain.safetensors", metadata={"format": "pt"})
    save_file(dtypes(), FILES / "dtypes.safetensors")


if __name__ == "__main__":
    main()
