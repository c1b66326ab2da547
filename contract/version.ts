/** Of every part: they are released together. package.json says the same. */
export const VERSION = '0.1.0'
