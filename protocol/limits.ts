// Limits that both sides know, so that neither sends what the other must refuse.

/** Characters of one prompt. CLIP reads 77 tokens; what is longer than this is a mistake. */
export const maxPromptCharacters = 2_000;

/** Bytes of one JSON control message. */
export const maxControlBytes = 64 * 1024;

/** Media bytes in one chunk, without its header. The last chunk of a stream may be shorter. */
export const chunkBytes = 512 * 1024;

/** Media bytes that may be on their way without an acknowledgement. */
export const windowBytes = 4 * 1024 * 1024;

/** Bytes of one clip. */
export const maxClipBytes = 64 * 1024 ** 3;
