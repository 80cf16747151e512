// What every built graph must satisfy before it is handed to ONNX Runtime.

import { describe, ShapeError, type Graph, type Value } from './graph.ts';

/**
 * Throws ShapeError unless every value is made before it is used, is made once, has a name of its own, and
 * every output is made.
 */
export function verifyGraph(graph: Graph): void {
  const made = new Set<Value>();
  const names = new Set<string>();
  const make = (value: Value) => {
    if (made.has(value)) throw new ShapeError(graph.name, 'a value must be made once', value);
    if (names.has(value.name)) throw new ShapeError(graph.name, 'names must differ', value);
    made.add(value);
    names.add(value.name);
  };
  graph.inputs.forEach(make);
  graph.initializers.forEach(({ value }) => make(value));
  for (const node of graph.nodes) {
    for (const input of node.inputs) {
      if (input !== null && !made.has(input)) {
        throw new ShapeError(graph.name, `${node.name} uses ${describe(input)} before it is made`);
      }
    }
    node.outputs.forEach(make);
  }
  for (const output of graph.outputs) {
    if (!made.has(output)) throw new ShapeError(graph.name, 'an output must be made', output);
  }
}
