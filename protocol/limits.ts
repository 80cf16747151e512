// Limits that both sides know, so that neither sends what the other must refuse.

/** Characters of one prompt. CLIP reads 77 tokens; what is longer than this is a mistake. */
export const maxPromptCharacters = 2_000;

/** LoRA of one edit, and how strongly each may be used: 0 is not at all, 1 is as it was trained, below 0 is its opposite. */
export const maxLoras = 16;
export const loraStrengthRange = { min: -2, max: 2 } as const;

/** ControlNets of one edit, and how strongly each may be used: 0 is not at all, 1 is as it was trained. */
export const maxControls = 4;
export const controlScaleRange = { min: 0, max: 2 } as const;

/** Notices of a clip or an edit, and characters of one. */
export const noticeLimits = { count: 100, characters: 1_000 } as const;

/** Bytes of one JSON control message of a client. */
export const maxControlBytes = 64 * 1024;

/** Media bytes in one chunk, without its header. The last chunk of a stream may be shorter. */
export const chunkBytes = 512 * 1024;

/** Media bytes that may be in transit without an acknowledgement. */
export const windowBytes = 4 * 1024 * 1024;

/** Bytes of one clip. */
export const maxClipBytes = 64 * 1024 ** 3;

/** Uploads that one connection may have open. */
export const maxOpenUploads = 4;

/** Downloads that one connection may have open. */
export const maxOpenDownloads = 4;

/** Slow requests of one connection that run in parallel: probes, estimates, frames, diagnostics. */
export const maxSlowRequests = 8;

/** Clips that one client may have on the server, those on their way included. */
export const maxClips = 1_000;

/** Unfinished jobs of one client. */
export const maxWaitingJobs = 200;

/** Jobs that one client may have on the server, finished ones included. */
export const maxJobs = 2_000;

/** Jobs in one reply to `job-list`. */
export const maxListedJobs = 32;

/** A job's priority is -10 to 10. */
export const maxPriority = 10;

/** Pixels of the longer side of a picture that `frame-get` asks for. */
export const frameSideRange = { min: 16, max: 4_096 } as const;

/** The same of `control-picture-get`: its picture is computed, not only decoded. */
export const maxControlPictureSide = 1_024;

/** Bytes of one JPEG. It is sent without acknowledgements, so it is no more than the window. */
export const maxFrameBytes = windowBytes;

/** Bytes of one picture without loss, which a client asks for one at a time. */
export const maxStillBytes = 32 * 1024 * 1024;

/** Models, LoRAs, and ControlNets, that a server lists; notices beside them, folders that were looked into, downloads on their way. */
export const listLimits = { models: 5_000, notices: 50, folders: 200, downloads: 20 } as const;

/** Characters of a model's licence. */
export const maxLicenceCharacters = 200_000;

/** Frames in one reply to `frames-get`. */
export const maxFramesAtOnce = 64;

/** Least time between two pictures of a running job. */
export const jobPictureMs = 1_000;
