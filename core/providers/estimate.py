"""How many tokens a text probably is, without asking anyone.

No tokenizer works offline (each downloads its vocabulary), so this counts characters by script: about
4 a token for Latin letters, 3 for Cyrillic, 1.5 for Chinese, Japanese and Korean, and about 2.5 for code,
which comes out by itself because brackets, operators and digits weigh more than letters. The weights add
up, so a longer text never has fewer tokens than its beginning.

Files other than text are rougher still: see `estimate_file_tokens`.
"""

from core.providers.content import Attachment, MediaKind
from core.providers.embedding import EmbeddingRequest
from core.providers.types import ModelRequest

_PER_MESSAGE = 4  # role and separators; what OpenAI's cookbook counts for a chat message

# The characters of a class, as the UTF-8 bytes that begin one of them, and a token's thousandths each costs.
_WEIGHTS: tuple[tuple[bytes, int], ...] = (
    (b'{}()[]<>=;:/\\"#&|+*%$@^~`_', 1200),
    (b"0123456789", 450),
    (bytes([0xD0, 0xD1, 0xD2, 0xD3, 0xD4]), 333),  # U+0400-U+053F: Cyrillic
    (bytes(range(0xE3, 0xF0)), 667),  # U+3000-U+FFFF: Han, kana, hangul, full width
    (bytes(range(0xF0, 0xF5)), 1000),  # beyond U+FFFF: emoji, rare Han
    (bytes(range(0xCA, 0xD0)) + bytes(range(0xD5, 0xDC)), 400),  # Greek, Armenian, Hebrew, Arabic, …
    (bytes(range(0xDC, 0xE3)), 500),  # Indic scripts, Thai, typographic signs
)
_LETTER = 250  # everything else: Latin letters, spaces, the punctuation of prose
_CONTINUATION = bytes(range(0x80, 0xC0))

# What Google documents for Gemini: 258 tokens an image of up to 384 x 384 or a page of a PDF, 32 a second of
# sound, 263 a second of video. Others count in the same order of magnitude.
_PER_IMAGE = 258
# How many bytes make that much: a page takes about 50 kB, a second of compressed sound 16 kB and of WAV 176 kB,
# a second of video 250 kB.
_BYTES_PER_TOKEN = {
    MediaKind.DOCUMENT: 50_000 / 258,
    MediaKind.AUDIO: 16_000 / 32,
    MediaKind.VIDEO: 250_000 / 263,
}
_WAV_BYTES_PER_TOKEN = 176_000 / 32


def estimate_tokens(text: str) -> int:
    """Estimated tokens of `text`; 0 for none, at least 1 otherwise. About 10 ms for 1 MB."""
    # Counting bytes in C: a loop over the characters of a 1 MB message would take a hundred times longer.
    return _estimate_utf8(text.encode("utf-8", "surrogatepass"))


def estimate_file_tokens(file: Attachment) -> int:
    """Roughly the tokens of a file, at least 1: an image's by their number, a text's by its characters, the others'
    by their size. Of a file that is sent by its address nothing is known: it counts as an image."""
    if file.data is None or file.kind in (MediaKind.IMAGE, None):
        return _PER_IMAGE
    if file.kind is MediaKind.TEXT:
        return max(1, _estimate_utf8(file.data))
    per_token = _WAV_BYTES_PER_TOKEN if file.mime_type == "audio/wav" else _BYTES_PER_TOKEN[file.kind]
    least = _PER_IMAGE if file.kind is MediaKind.DOCUMENT else 1
    return max(least, round(len(file.data) / per_token))


def _estimate_utf8(data: bytes) -> int:
    rest = data.translate(None, _CONTINUATION)
    thousandths = 0
    for starts, weight in _WEIGHTS:
        others = rest.translate(None, starts)
        thousandths += (len(rest) - len(others)) * weight
        rest = others
    thousandths += len(rest) * _LETTER
    return -(-thousandths // 1000)


def estimate_prompt_tokens(request: ModelRequest) -> int:
    """Estimated input tokens of a request: its messages with their files, its system prompt and what frames them; of
    inputs to embed nothing but they."""
    if isinstance(request, EmbeddingRequest):
        return sum(estimate_tokens(each) if isinstance(each, str) else len(each) for each in request.inputs)
    texts = [message.text for message in request.messages]
    if request.system_prompt:
        texts.append(request.system_prompt)
    files = (file for message in request.messages for file in message.attachments)
    return sum(estimate_tokens(text) + _PER_MESSAGE for text in texts) + sum(map(estimate_file_tokens, files))
