// Texts name commands as they are typed in a checkout of the source. In a release they are typed in another way.

/** `text` with the commands of npm as those of a release: `npm run models -- pull ID` becomes `tokenflow models pull ID`. */
export function asTypedInRelease(text: string, commands: readonly string[]): string {
  const names = commands.join('|');
  return text
    .replaceAll(
      /\bnpm start\b( -- (?=-))?/g,
      (_whole, options?: string) => `tokenflow start${options === undefined ? '' : ' '}`,
    )
    .replaceAll(new RegExp(`\\bnpm run (${names})\\b( -- )?`, 'g'), (_whole, name: string, more?: string) =>
      more === undefined ? `tokenflow ${name}` : `tokenflow ${name} `,
    );
}
