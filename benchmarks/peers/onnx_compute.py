"""ONNX Runtime's side, with the same network and weights: python onnx_compute.py image|batch INPUTS NETWORK"""

import sys
from pathlib import Path

import batches
import numpy as np
import onnxruntime
from digitnet.checkpoint import load
from onnx import TensorProto, helper, numpy_helper
from rounds import rounds


def made_of(network) -> bytes:
    """Convert digitnet's layers to an ONNX model with the same weights."""
    nodes, weights, given = [], [], "pictures"

    def weighted(name, *arrays):
        names = [f"{name}.weights", f"{name}.bias"]
        weights.extend(numpy_helper.from_array(np.ascontiguousarray(array), key) for key, array in zip(names, arrays))
        return names

    for number, layer in enumerate(network.layers):
        name, inputs, options = f"layer{number}", [given], {}
        match type(layer).__name__:
            case "Conv2D":
                kind, options = "Conv", {"pads": [layer.padding] * 4}
                inputs += weighted(name, layer.weights.reshape(layer.filters, -1, *[layer.kernel_size] * 2), layer.bias)
            case "Dense":
                kind, options = "Gemm", {"transB": 1}
                inputs += weighted(name, layer.weights, layer.bias)
            case "MaxPool2D":
                kind, options = "MaxPool", {"kernel_shape": [layer.size] * 2, "strides": [layer.size] * 2}
            case other:
                kind = {"ReLU": "Relu", "Flatten": "Flatten", "Dropout": "Identity"}[other]
        nodes.append(helper.make_node(kind, inputs, [name], **options))
        given = name
    images = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 1, 28, 28])
    logits = helper.make_tensor_value_info(given, TensorProto.FLOAT, ["n", network.classes])
    graph = helper.make_graph(nodes, "digits", [images], [logits], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


if __name__ == "__main__":
    race, inputs, name = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    count, threads, times = {"image": (1, 1, 5000), "batch": (512, 2, 40)}[race]
    network, _ = load(inputs / name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(made_of(network), options, providers=["CPUExecutionProvider"])
    images = batches.read(inputs)[0][:count]
    (logits,) = session.run(None, {"pictures": images[:, None]})
    if not np.allclose(logits, network.predict_logits(images), rtol=1e-3, atol=1e-3):
        raise SystemExit("not the same network")
    rounds(lambda: session.run(None, {"pictures": images[:, None]}), times=times)
