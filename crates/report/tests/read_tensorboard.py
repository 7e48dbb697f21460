#!/usr/bin/env python3
"""Reads a folder as TensorBoard does, and prints all that it finds as one JSON object."""

import io
import json
import sys

from google.protobuf import json_format
from PIL import Image
from tensorboard import context
from tensorboard.backend.event_processing import (
    data_provider,
    event_accumulator,
    io_wrapper,
    plugin_event_multiplexer,
)
from tensorboard.plugins import base_plugin
from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
from tensorboard.util import tensor_util

# No thinning out.
EVERYTHING = {event_accumulator.SCALARS: 0, event_accumulator.TENSORS: 0}


def main(folder):
    runs = {}
    for path in io_wrapper.GetLogdirSubdirectories(folder):
        name = path[len(folder) :].strip("/")
        runs[name] = run(path)
    print(json.dumps({"runs": runs, "sessions": sessions(folder)}))


def run(path):
    """All tags of a folder: figures, texts and images with their times and steps."""
    accumulator = event_accumulator.EventAccumulator(path, size_guidance=EVERYTHING)
    accumulator.Reload()
    tags = accumulator.Tags()
    scalars = {
        tag: [[point.wall_time, point.step, point.value] for point in accumulator.Scalars(tag)]
        for tag in tags["scalars"]
    }
    texts, images = {}, {}
    for tag in tags["tensors"]:
        plugin = accumulator.SummaryMetadata(tag).plugin_data.plugin_name
        points = [
            [point.wall_time, point.step, tensor_util.make_ndarray(point.tensor_proto)]
            for point in accumulator.Tensors(tag)
        ]
        if plugin == "text":
            texts[tag] = [[time, step, text.item().decode()] for time, step, text in points]
        elif plugin == "images":
            images[tag] = [[time, step, samples(parts)] for time, step, parts in points]
    return {"scalars": scalars, "texts": texts, "images": images}


def samples(parts):
    """The pixels of each image, which must have the size that is written before all of them."""
    size = [int(part) for part in parts[:2]]
    images = [Image.open(io.BytesIO(part)) for part in parts[2:]]
    assert all(image.format == "PNG" and list(image.size) == size for image in images)
    return [{"size": size, "pixels": list(image.tobytes())} for image in images]


def sessions(folder):
    """What the table of the hparams plugin shows."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer()
    multiplexer.AddRunsFromDirectory(folder)
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, folder)
    plugin = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0,
        slice_size=100,
        allowed_statuses=list(api_pb2.Status.values()),
        include_metrics=True,
    )
    handler = list_session_groups.Handler(context.RequestContext(), plugin, "", request)
    return json_format.MessageToDict(handler.run())


if __name__ == "__main__":
    main(sys.argv[1])
