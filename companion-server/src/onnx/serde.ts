// Graph -> bytes of an ONNX file. The only module that knows the protobuf messages (onnx.proto, IR version 8).

import { realpathSync } from 'node:fs';
import path from 'node:path';
import protobuf from 'protobufjs/light.js';
import type { Dim } from './dims.ts';
import { formatDim } from './dims.ts';
import { elementTypes, ShapeError, type Attribute, type Graph, type Initializer, type Value } from './graph.ts';

const field = (id: number, type: string, rule?: 'repeated') => ({
  id,
  type,
  ...(rule === undefined ? {} : { rule }),
});

/** The part of onnx.proto that is written here; numbers as in the ONNX specification. */
const messages = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {
        irVersion: field(1, 'int64'),
        producerName: field(2, 'string'),
        graph: field(7, 'Graph'),
        opsetImport: field(8, 'OperatorSet', 'repeated'),
      },
    },
    OperatorSet: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Graph: {
      fields: {
        node: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializer: field(5, 'Tensor', 'repeated'),
        input: field(11, 'ValueInfo', 'repeated'),
        output: field(12, 'ValueInfo', 'repeated'),
      },
    },
    Node: {
      fields: {
        input: field(1, 'string', 'repeated'),
        output: field(2, 'string', 'repeated'),
        name: field(3, 'string'),
        opType: field(4, 'string'),
        attribute: field(5, 'Attribute', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        f: field(2, 'float'),
        i: field(3, 'int64'),
        s: field(4, 'bytes'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        dataType: field(2, 'int32'),
        name: field(8, 'string'),
        rawData: field(9, 'bytes'),
        externalData: field(13, 'Entry', 'repeated'),
        dataLocation: field(14, 'int32'),
      },
    },
    Entry: { fields: { key: field(1, 'string'), value: field(2, 'string') } },
    ValueInfo: { fields: { name: field(1, 'string'), type: field(2, 'Type') } },
    Type: { fields: { tensorType: field(1, 'TensorType') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'Shape') } },
    Shape: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    Dimension: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
  },
});

const irVersion = 8;
const opsets = [
  { domain: '', version: 17 },
  { domain: 'com.microsoft', version: 1 },
];

const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 };
const externalLocation = 1;

function attributeMessage(name: string, value: Attribute): object {
  if (typeof value === 'number') return { name, type: attributeTypes.int, i: value };
  if (typeof value === 'string') {
    return { name, type: attributeTypes.string, s: new TextEncoder().encode(value) };
  }
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float };
  return { name, type: attributeTypes.ints, ints: value };
}

function dimMessage(dim: Dim): object {
  return typeof dim === 'number' ? { dimValue: dim } : { dimParam: formatDim(dim) };
}

function valueMessage({ name, dtype, dims }: Value): object {
  return {
    name,
    type: { tensorType: { elemType: elementTypes[dtype], shape: { dim: dims.map(dimMessage) } } },
  };
}

function initializerMessage(initializer: Initializer, placeOf: (file: string) => string): object {
  const { name, dtype, dims } = initializer.value;
  const head = { name, dims, dataType: elementTypes[dtype] };
  if ('bytes' in initializer) return { ...head, rawData: initializer.bytes };
  const { file, byteOffset, byteLength } = initializer.stored;
  return {
    ...head,
    dataLocation: externalLocation,
    externalData: [
      { key: 'location', value: placeOf(file) },
      { key: 'offset', value: String(byteOffset) },
      { key: 'length', value: String(byteLength) },
    ],
  };
}

/**
 * The folder below which every weight file of the graph lies, or undefined when it has no stored weights. ONNX Runtime reads
 * no file outside that folder, and none through a link that leads out of it. Throws ShapeError for files on two drives.
 */
export function weightsFolder(graph: Graph): string | undefined {
  const files = new Set(graph.initializers.flatMap((entry) => ('stored' in entry ? [entry.stored.file] : [])));
  const folders = [...new Set([...files].map((file) => path.dirname(realPath(file))))];
  return folders.reduce<string | undefined>((common, folder) => {
    if (common === undefined) return folder;
    const shared = sharedFolder(common, folder);
    if (shared === null) {
      throw new ShapeError(graph.name, `weights must lie on one drive, got ${folders.join(', ')}`);
    }
    return shared;
  }, undefined);
}

/** The deepest folder that both are in; null where they are on two drives. */
export function sharedFolder(a: string, b: string): string | null {
  const isWithin = (folder: string): boolean => {
    const way = path.relative(folder, b);
    return !path.isAbsolute(way) && way !== '..' && !way.startsWith(`..${path.sep}`);
  };
  for (let folder = a; ; folder = path.dirname(folder)) {
    if (isWithin(folder)) return folder;
    if (folder === path.dirname(folder)) return null;
  }
}

/** Without links. A file that has gone is reported by the attempt to read it. */
function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** The graph as an ONNX model. Weights stay where they are; the model refers to them by their place below `weightsFolder`. */
export function encodeModel(graph: Graph): Uint8Array {
  const Model = messages.lookupType('Model');
  const folder = weightsFolder(graph) ?? '';
  const places = new Map<string, string>();
  const placeOf = (file: string): string => {
    const place = places.get(file) ?? path.relative(folder, realPath(file)).replaceAll(path.sep, '/');
    places.set(file, place);
    return place;
  };
  const message = Model.fromObject({
    irVersion,
    producerName: 'tokenflow',
    opsetImport: opsets,
    graph: {
      name: graph.name,
      node: graph.nodes.map(({ name, op, domain, inputs, outputs, attributes }) => ({
        name,
        opType: op,
        domain,
        input: inputs.map((input) => input?.name ?? ''),
        output: outputs.map((output) => output.name),
        attribute: Object.entries(attributes).map(([key, value]) => attributeMessage(key, value)),
      })),
      initializer: graph.initializers.map((entry) => initializerMessage(entry, placeOf)),
      input: graph.inputs.map(valueMessage),
      output: graph.outputs.map(valueMessage),
    },
  });
  return Model.encode(message).finish();
}
