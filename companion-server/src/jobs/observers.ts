// The listeners to the jobs of an owner.

/** Adds a listener of `owner` to `listeners`. Returns a function that removes it. */
export function listen<Listener>(listeners: Map<string, Set<Listener>>, owner: string, listener: Listener): () => void {
  const own = listeners.get(owner) ?? new Set();
  listeners.set(owner, own.add(listener));
  return () => {
    own.delete(listener);
    if (own.size === 0 && listeners.get(owner) === own) listeners.delete(owner);
  };
}
