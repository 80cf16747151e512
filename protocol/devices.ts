// The devices that an edit can compute on.

export const devices = ['cuda', 'dml', 'coreml', 'webgpu', 'cpu'] as const;
export type Device = (typeof devices)[number];

/** `auto` probes the devices in order of speed and takes the first whose numbers equal the CPU's. */
export const deviceChoices = ['auto', ...devices] as const;
export type DeviceChoice = (typeof deviceChoices)[number];
