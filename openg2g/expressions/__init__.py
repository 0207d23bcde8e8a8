"""The language of searches: Python expressions over a workload and its revision, read but never executed.

Names are those of the dataclasses: every field and property of `LLMInferenceWorkload` (`models`, `model_labels`,
`total_gpus`, `initial_batch_size_by_model`, `itl_deadline_by_model`, `required_measured_gpus`,
`feasible_batch_sizes_union`), those of `LLMInferenceModelSpec` through a loop (`for m in models`) or a place
(`models[0]`), and of the revision `name`, `number`, `digest`, `recorded_at`, `effective_from`, `author`, `message`,
`source`, `annotations['key']`, `tags['key']` and `aliases`. Beside them stand named parameters.

| what | how |
| --- | --- |
| conditions | `and` `or` `not`, `==` `!=` `<` `<=` `>` `>=` in chains, `in`, `not in`, `x if c else y` |
| arithmetic | `+` `-` `*` `/`, and `//` `%` of whole numbers, which round as Python does |
| loops | `any` `all` `sum` `min` `max` `len` of `(… for m in models if …)`, also of a list itself: `len(models)` |
| texts | `.startswith('…')` `.endswith('…')` `.lower()` `.upper()`, `len(text)`, `'…' in text`, `fnmatch(text, 'Q*')` |
| times | `date('2026-03-01')`, or an ISO 8601 text beside a time: `recorded_at < '2026-03-01T12:00Z'` |
| lists | `in`, `len`, an index (`models[-1]`), `== ('a', 'b')`, loops |

What has no value makes a comparison false, `!=` and `not in` included: a key that is not there
(`itl_deadline_by_model['X']` where X is not served), an index beyond the end, a division by zero, `min` and `max` of
nothing, an annotation of another kind than what it is compared with. `sum`, `min` and `max` pass over such elements.
So where X is not served, `not itl_deadline_by_model['X'] < 0.1` holds, and `itl_deadline_by_model['X'] >= 0.1` not.

Where this differs from Python, it is so that SQLite, PostgreSQL and Python give the same answer to the last bit:

- Whole numbers are exact within 64 bits; where a result may exceed them, it is computed in floating point. In
  arithmetic, a stored whole number beyond 2**40 and a stored floating-point number outside 1e-30 to 1e30 have no value.
- `lower` and `upper` change letter by letter; what becomes several letters (ß, İ) stays.
- Texts are compared by code points. Numbers in annotations are floating-point numbers.
- A comparison with a list written out asks for the same items in the same order, whether list or tuple.

`openg2g.expressions.read` makes a typed tree of a text, `openg2g.expressions.predicate` a Python function of the tree,
and `openg2g.catalog.search.compiler` SQL.
"""
