// Exit codes that belong to no error: the shell's own, 128 plus the number of the signal.

export const interruptedExitCode = 130;
export const terminatedExitCode = 143;
