// Entry of the process that tries a device: a driver that crashes or hangs takes down nothing else.

import { checkDevice, timeExecution, type DeviceReport } from './device.ts';
import { deviceChoices, type Device } from '../../../../protocol/devices.ts';

const [, , name, purpose] = process.argv;
const device = deviceChoices.find((choice): choice is Device => choice !== 'auto' && choice === name);
if (device === undefined) throw new TypeError(`Unknown device ${name ?? ''}.`);

const send = (report: DeviceReport) => new Promise<void>((resolve) => process.send?.(report, () => resolve()));

const report = await checkDevice(device);
await send(report);
if (purpose === 'race' && report.execution !== null) {
  await send({ ...report, seconds: await timeExecution(report.execution) });
}
process.disconnect();
