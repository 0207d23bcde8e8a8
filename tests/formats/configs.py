"""Configurations as OpenG2G 0.1 and 0.2 read them, with the published figures."""

from typing import Any

BATCH_SIZES = [8, 16, 32, 64, 128, 256, 512]
_MEASURED = [8, 16, 32, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048]
_FLEET = (
    ("Llama-3.1-8B", "meta-llama/Llama-3.1-8B-Instruct", 1, 720, 0.08),
    ("Llama-3.1-70B", "meta-llama/Llama-3.1-70B-Instruct", 4, 180, 0.10),
    ("Llama-3.1-405B", "meta-llama/Llama-3.1-405B-Instruct-FP8", 8, 90, 0.12),
    ("Qwen3-30B-A3B", "Qwen/Qwen3-30B-A3B-Thinking-2507", 2, 480, 0.06),
    ("Qwen3-235B-A22B", "Qwen/Qwen3-235B-A22B-Thinking-2507", 8, 210, 0.14),
)
_LARGEST_MEASURED = {"Llama-3.1-8B": 1024, "Llama-3.1-70B": 2048}
_REQUESTS = {"dataset": "lm-arena-chat", "num_requests": 1000, "max_completion_tokens": 512, "seed": 0}


def _measured(label: str) -> list[int]:
    return [size for size in _MEASURED if size <= _LARGEST_MEASURED.get(label, 512)]


def _source(label: str) -> dict[str, Any]:
    task = "gpqa" if label.startswith("Qwen") else "lm-arena-chat"
    return {"model_label": label, "task": task, "gpu": "H100", "batch_sizes": _measured(label)}


def _deployed(node: int) -> dict[str, Any]:
    halves = ([0, 1, 2, 3], [4, 5, 6, 7])
    return {
        "vllm_base_url": f"http://node{node}:8000",
        "gpu_endpoints": [{"host": f"node{node}", "port": 4938, "gpu_indices": half} for half in halves],
    }


OFFLINE_0_1: dict[str, Any] = {
    "models": [
        {
            "model_label": label,
            "model_id": model_id,
            "gpus_per_replica": gpus,
            "num_replicas": replicas,
            "initial_batch_size": 128,
            "itl_deadline_s": deadline,
            "feasible_batch_sizes": BATCH_SIZES,
        }
        for label, model_id, gpus, replicas, deadline in _FLEET
    ],
    "data_sources": [_source(label) for label, *_ in _FLEET],
    "training_trace_params": {},
    "data_dir": None,
    "ieee_case_dir": "examples/ieee13",
    "mlenergy_data_dir": None,
}

ONLINE_0_1: dict[str, Any] = {
    "deployments": [
        {
            "spec": {
                "model_label": label,
                "model_id": model_id,
                "gpus_per_replica": gpus,
                "num_replicas": replicas,
                "initial_batch_size": 128,
                "itl_deadline_s": deadline,
                "feasible_batch_sizes": [1, 2, 3, 4, 5, 6, 7, 8],
            },
            **_deployed(node),
        }
        for node, (label, model_id, gpus, replicas, deadline) in enumerate(_FLEET[:2], 1)
    ],
    "requests": _REQUESTS,
    "requests_dir": None,
    "ieee_case_dir": "examples/ieee13",
    "data_dir": None,
    "data_sources": [_source(label) for label, *_ in _FLEET[:2]],
    "mlenergy_data_dir": None,
}

ONLINE_0_2: dict[str, Any] = {
    "deployments": [
        {
            "spec": {
                "model_label": label,
                "model_id": model_id,
                "gpu_model": "H100",
                "task": "lm-arena-chat",
                "precision": "bfloat16",
                "gpus_per_replica": gpus,
                "tensor_parallel": gpus,
                "itl_deadline_s": deadline,
                "batch_sizes": _measured(label),
                "feasible_batch_sizes": BATCH_SIZES,
            },
            "simulated_num_replicas": replicas,
            "initial_batch_size": 128,
            **_deployed(node),
        }
        for node, (label, model_id, gpus, replicas, deadline) in enumerate(_FLEET[:2], 1)
    ],
    "requests": _REQUESTS,
    "requests_dir": None,
    "ieee_case_dir": "examples/ieee13",
    "data_dir": None,
    "mlenergy_data_dir": None,
}

OFFLINE_0_2: dict[str, Any] = {
    "models": [
        {
            "model_label": label,
            "model_id": model_id,
            "gpu_model": "H100",
            "task": "lm-arena-chat",
            "gpus_per_replica": gpus,
            "initial_num_replicas": replicas,
            "initial_batch_size": 128,
            "itl_deadline_s": deadline,
            "batch_sizes": _measured(label),
            "feasible_batch_sizes": BATCH_SIZES,
        }
        for label, model_id, gpus, replicas, deadline in _FLEET
    ],
    "ieee_case_dir": "examples/ieee13",
}

SWEEP: dict[str, Any] = {
    "models": [
        {
            "model_label": label,
            "model_id": model_id,
            "gpus_per_replica": gpus,
            "initial_num_replicas": replicas,
            "initial_batch_size": 128,
            "itl_deadline_s": deadline,
            "feasible_batch_sizes": BATCH_SIZES,
        }
        for label, model_id, gpus, replicas, deadline in _FLEET
    ],
    "data_sources": [_source(label) for label, *_ in _FLEET],
    "training_trace_params": {},
    "data_dir": None,
    "ieee_case_dir": "../../data/grid/ieee34",
    "dss_master_file": "ieee34.dss",
    "source_pu": 1.09,
    "dc_sites": {
        "upstream": {
            "bus": "850",
            "bus_kv": 24.9,
            "base_kw_per_phase": 120.0,
            "models": ["Llama-3.1-8B", "Llama-3.1-70B"],
            "connection_type": "wye",
            "seed": 0,
            "total_gpu_capacity": 520,
            "inference_ramps": [{"target": 0.2, "t_start": 2500, "t_end": 3000}],
        },
        "downstream": {"bus": "834", "bus_kv": 24.9, "inference_ramps": []},
        "spare": {"bus": "840"},
    },
    "pv_systems": [{"bus": "848", "peak_kw": 130.0, "csv_path": "pv.csv"}],
    "ofo": {"primal_step_size": 0.05, "voltage_gradient_scale": 1e6},
    "simulation": {"dt_dc": "1/10", "v_min": 0.95},
}
"""What the development between 0.1 and 0.2 sweeps over: several datacenters on one grid."""

EXAMPLES = {
    "0.1 offline": ("0.1", OFFLINE_0_1),
    "0.1 online": ("0.1", ONLINE_0_1),
    "0.2 online": ("0.2", ONLINE_0_2),
    "0.2 offline": ("0.2", OFFLINE_0_2),
    "0.1 sweep": ("0.1", SWEEP),
}


def entry_0_1(**overrides: Any) -> dict[str, Any]:
    """Make a model of a 0.1 configuration with only what 0.1 requires; name only what the test is about."""
    fields = {
        "model_label": "Llama-3.1-8B",
        "num_replicas": 720,
        "gpus_per_replica": 1,
        "initial_batch_size": 128,
        "itl_deadline_s": 0.08,
    }
    return fields | overrides


def entry_0_2(**overrides: Any) -> dict[str, Any]:
    """Make a model of a 0.2 configuration with only what 0.2 requires; name only what the test is about."""
    fields = {
        "model_label": "Llama-3.1-8B",
        "model_id": "meta-llama/Llama-3.1-8B-Instruct",
        "gpu_model": "H100",
        "task": "lm-arena-chat",
        "batch_sizes": [8, 64, 128],
        "simulated_num_replicas": 720,
        "initial_batch_size": 128,
        "itl_deadline_s": 0.08,
    }
    return fields | overrides


def deployment_0_2(**overrides: Any) -> dict[str, Any]:
    """Make a deployment of a 0.2 configuration; overrides go where 0.2 has the field."""
    outside = ("simulated_num_replicas", "initial_batch_size")
    entry = entry_0_2(**overrides)
    spec = {key: value for key, value in entry.items() if key not in outside}
    return {"spec": spec, **{key: entry[key] for key in outside}}


def with_other_word(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a model of 0.1 that has its replicas under the word of the development between 0.1 and 0.2."""
    return {"initial_num_replicas" if key == "num_replicas" else key: value for key, value in entry.items()}
