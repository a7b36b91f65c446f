/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Applies a JSON merge patch (RFC 7396): objects are merged, null removes, anything else replaces. */
export function mergePatch(target: JsonObject, patch: JsonObject): JsonObject {
  const merged = new Map(Object.entries(target));
  for (const [name, value] of Object.entries(patch)) {
    const before = merged.get(name);
    if (value === null) merged.delete(name);
    else merged.set(name, isObject(value) ? mergePatch(isObject(before) ? before : {}, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The merge patch that takes a patch back: what it has replaced, null for what was not there. */
export function patchBack(target: JsonObject, patch: JsonObject): JsonObject {
  const back = Object.entries(patch).map(([name, value]) => {
    const before = Object.hasOwn(target, name) ? target[name] : null;
    return [name, isObject(value) && isObject(before) ? patchBack(before, value) : before];
  });
  return Object.fromEntries(back) as JsonObject;
}
