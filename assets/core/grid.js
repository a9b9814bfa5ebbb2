// Pixels of the 8 × 8 grid, which are numbered row by row.

/**
 * Where an arrow key, Home or End leads from a pixel; null for any other key.
 * @param {number} index
 * @param {string} key
 */
export function pixelAfter(index, key) {
  const row = Math.floor(index / 8);
  const column = index % 8;
  const places = /** @type {Record<string, [number, number]>} */ ({
    ArrowUp: [Math.max(0, row - 1), column],
    ArrowDown: [Math.min(7, row + 1), column],
    ArrowLeft: [row, Math.max(0, column - 1)],
    ArrowRight: [row, Math.min(7, column + 1)],
    Home: [row, 0],
    End: [row, 7],
  });
  return places[key] ? 8 * places[key][0] + places[key][1] : null;
}

/** @param {number} index of a pixel */
export const place = (index) => `row ${Math.floor(index / 8)}, column ${index % 8}`;
