// Whether Adobe's installer of panels knows ours.

import type { Check } from '../../../protocol/diagnostics.ts';
import { findAdobeInstaller, panelName, type AdobeInstaller } from '../installation/adobe-installer.ts';
import { releasePanel } from '../release.ts';

const name = 'panel in Premiere';

/** Nothing on a machine without the installer: Creative Cloud Desktop brings it. */
export async function checkAdobePanel(
  adobe: AdobeInstaller | null = findAdobeInstaller(),
  panel: string | null = releasePanel(),
): Promise<readonly Check[]> {
  if (adobe === null) return [];
  const { exitCode, output } = await adobe.list();
  if (exitCode !== 0) {
    const detail = `Adobe's installer does not list its panels (${exitCode ?? 'it was ended'}): ${output.slice(0, 500)}`;
    return [
      { name, status: 'unknown', detail, advice: 'Start Premiere once, then Creative Cloud Desktop, and try again.' },
    ];
  }
  const line = output.split('\n').find((one) => one.toLowerCase().includes(panelName.toLowerCase()));
  if (line !== undefined)
    return [{ name, status: 'ok', detail: `Installed: ${line.trim().slice(0, 300)}.`, advice: null }];
  const file = panel ?? 'dist/tokenflow.ccx (npm run package makes it)';
  return [
    {
      name,
      status: 'unknown',
      detail: 'It is not installed.',
      advice: `To have it in Premiere, double-click ${file}.`,
    },
  ];
}
