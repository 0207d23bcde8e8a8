"""Files that the command-line tests import: the published five-model fleet in each shape."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

BATCH_SIZES = [8, 16, 32, 64, 128, 256, 512]

SMALL: dict[str, Any] = {
    "name": "small",
    "models": [
        {
            "model_label": "Llama-3.1-70B",
            "num_replicas": 18,
            "gpus_per_replica": 4,
            "initial_batch_size": 128,
            "itl_deadline_s": 0.1,
            "feasible_batch_sizes": [64, 128],
        }
    ],
    "annotations": {"purpose": "smoke test"},
}

ONLINE_0_1: dict[str, Any] = {
    "deployments": [
        {
            "spec": {
                "model_label": "Llama-3.1-8B",
                "model_id": "meta-llama/Llama-3.1-8B-Instruct",
                "gpus_per_replica": 1,
                "num_replicas": 720,
                "initial_batch_size": 128,
                "itl_deadline_s": 0.08,
                "feasible_batch_sizes": [1, 2, 3, 4],
            },
            "vllm_base_url": "http://node1:8000",
            "gpu_endpoints": [{"host": "node1", "port": 4938, "gpu_indices": [0, 1, 2, 3]}],
        }
    ],
    "requests": {"dataset": "lm-arena-chat", "num_requests": 1000, "seed": 0},
    "data_dir": None,
}

ONLINE_0_2: dict[str, Any] = {
    "deployments": [
        {
            "spec": {
                "model_label": "Llama-3.1-70B",
                "model_id": "meta-llama/Llama-3.1-70B-Instruct",
                "gpu_model": "H100",
                "task": "lm-arena-chat",
                "precision": "bfloat16",
                "gpus_per_replica": 4,
                "tensor_parallel": 4,
                "itl_deadline_s": 0.1,
                "batch_sizes": [8, 16, 32, 64, 96, 128],
                "feasible_batch_sizes": [8, 16, 32, 64, 128],
            },
            "simulated_num_replicas": 180,
            "initial_batch_size": 128,
            "vllm_base_url": "http://node2:8000",
        }
    ],
    "requests_dir": None,
}


def offline_0_1() -> dict[str, Any]:
    """Return the example configuration that the demonstration uses."""
    path = Path(__file__).parents[2] / "scripts" / "examples" / "five-models.json"
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def small(**changes: Any) -> dict[str, Any]:
    """Return the small document with fields of its only model changed; None takes a field out."""
    document = deepcopy(SMALL)
    model = document["models"][0]
    model.update(changes)
    document["models"] = [{key: value for key, value in model.items() if value is not None}]
    return document


def write(path: Path, value: object) -> Path:
    """Write a value as JSON."""
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_lines(path: Path, values: list[object]) -> Path:
    """Write values as JSON Lines."""
    path.write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    return path
