"""A real server of models, llama.cpp's own, with a tiny model that is written on the fly.

    python -m tests.model.foreign_server FOLDER

Prints its address and serves until its standard input ends. The model's attention is next to nothing, so that each
token alone decides what follows it: the model is a chain that can be programmed, and whole sentences are tokens of it.
What a grammar of the server does not allow it cannot say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["ANSWER", "CALL", "MODEL", "NEEDED"]

NEEDED = ("gguf", "numpy", "xllamacpp")
MODEL = "tiny"
CALL = '<tool_call>\n{"name": "note", "arguments": {"word": "ping"}}\n</tool_call>'
"""What it says first, whatever it is asked."""
ANSWER = 'So: {"findings": [], "not_enough_evidence": "nothing was read"}'
"""What it says to the result of a tool."""

_AFTER_TOOL = "<|after_tool|>"
_END = "<|im_end|>"
_UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE, _NORMAL = 2, 3, 4, 6, 1
_CHAIN = (
    ("<0x0A>", CALL),
    (CALL, _END),
    (_AFTER_TOOL, ANSWER),
    (ANSWER, _END),
    # Where a grammar rules, everything that was opened is closed at once.
    ('"', '"'),
    ("[", "]"),
    ("{", "}"),
)
_WIDTH, _HEADS, _INNER = 128, 4, 32
# Tools have to be rendered in a form that the server knows, or it neither offers them nor reads calls of them.
_TEMPLATE = """
{%- if tools %}
    {{- '<|im_start|>system\\n<tools>' }}
    {%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
    {{- '\\n</tools>\\nFor each call return\\n<tool_call>\\n{"name": <name>, "arguments": <object>}\\n</tool_call>' }}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' }}
        {%- if message.content %}{{- message.content }}{%- endif %}
        {%- for call in message.tool_calls or [] %}
            {{- '\\n<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}{{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if messages[-1].role == 'tool' %}{{- '<|after_tool|>' }}{%- endif %}
{%- endif %}
"""


def _vocabulary() -> Iterator[tuple[str, int]]:
    yield "<unk>", _UNKNOWN
    for token in ("<s>", "<|im_start|>", _END, _AFTER_TOOL):
        yield token, _CONTROL
    for token in (CALL, ANSWER):
        yield token, _USER_DEFINED
    for byte in range(256):
        yield f"<0x{byte:02X}>", _BYTE
    for code in range(32, 127):
        yield chr(code).replace(" ", "\u2581"), _NORMAL


def _write(path: Path) -> None:
    gguf: Any = import_module("gguf")
    np: Any = import_module("numpy")
    words, kinds = zip(*_vocabulary(), strict=True)
    place = {word: number for number, word in enumerate(words)}
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(8192)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(_INNER)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(list(words))
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types(list(kinds))
    writer.add_unk_token_id(place["<unk>"])
    writer.add_bos_token_id(place["<s>"])
    writer.add_eos_token_id(place[_END])
    # Or every answer would begin with a space that no grammar allows.
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_TEMPLATE)
    chance = np.random.default_rng(7)
    inner = chance.standard_normal((len(words), _WIDTH)).astype(np.float32)
    outer = np.zeros_like(inner)
    for before, after in _CHAIN:
        outer[place[after]] += inner[place[before]]
    writer.add_tensor("token_embd.weight", inner)
    writer.add_tensor("output.weight", outer)
    square, wide = (_WIDTH, _WIDTH), (_INNER, _WIDTH)
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), square)
    shapes |= {"ffn_gate": wide, "ffn_up": wide, "ffn_down": wide[::-1]}
    for name, shape in shapes.items():
        weights = chance.standard_normal(shape) * 0.001
        writer.add_tensor(f"blk.0.{name}.weight", weights.astype(np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _main(folder: Path) -> None:
    path = folder / "tiny.gguf"
    _write(path)
    xllamacpp: Any = import_module("xllamacpp")
    settings = xllamacpp.CommonParams()
    settings.model.path = str(path)
    settings.model_alias = {MODEL}
    settings.hostnames = ["127.0.0.1"]
    settings.port = 0
    settings.n_ctx = 8192
    settings.n_parallel = 2
    settings.cpuparams.n_threads = 1
    settings.use_jinja = True
    settings.warmup = False
    settings.verbosity = -1
    server = xllamacpp.Server(settings)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
