// The mark that says of a result that it was edited by AI: an XMP packet in the file itself. ISO 16684-1 (XMP), IPTC Photo
// Metadata Standard 2025.1 ("AI" properties, Digital Source Type), Adobe's XMP specification part 3 for where it lies.

export interface Provenance {
  /** Name and version of the program. */
  readonly tool: string;
  /** The model, without a path. */
  readonly model: string;
  readonly technique: string;
  /** Null unless the user wants it in the file. */
  readonly prompt: string | null;
}

/** IPTC NewsCodes: a picture that was made in parts by a trained model. */
export const digitalSourceType = 'http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia';

/** The XMP packet. Without a date, so that equal edits are equal files. */
export function xmpPacket({ tool, model, technique, prompt }: Provenance): string {
  const properties: [string, string][] = [
    ['Iptc4xmpExt:DigitalSourceType', digitalSourceType],
    ['Iptc4xmpExt:AISystemUsed', `${tool}, ${model}`],
    ...(prompt === null ? [] : [['Iptc4xmpExt:AIPromptInformation', prompt] as [string, string]]),
    ['xmp:CreatorTool', tool],
    ['xmp:Label', `Edited by AI (${technique})`],
  ];
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"',
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">',
    ...properties.map(([name, value]) => `<${name}>${escaped(value)}</${name}>`),
    '</rdf:Description>',
    '</rdf:RDF>',
    '</x:xmpmeta>',
    '<?xpacket end="w"?>',
  ].join('\n');
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** Without the characters that XML has none for (XML 1.0, 2.2), halves of surrogate pairs among them. */
function escaped(text: string): string {
  const allowed = text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '');
  return allowed.replace(/[&<>]/g, (character) => entities[character] ?? '');
}

/** The box type of XMP in MP4, as a UUID. */
const xmpUuid = 'be7acfcb97a942e89c71999491e3afac';

/** The packet as a box at the end of an MP4 or MOV (ISO/IEC 14496-12, 4.2: size, `uuid`, the type, the content). */
export function xmpBox(packet: string): Uint8Array {
  const content = Buffer.from(packet, 'utf8');
  const box = Buffer.alloc(24 + content.length);
  box.writeUInt32BE(box.length, 0);
  box.write('uuid', 4, 'latin1');
  box.write(xmpUuid, 8, 'hex');
  content.copy(box, 24);
  return box;
}
