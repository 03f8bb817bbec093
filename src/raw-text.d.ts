/** `?raw` imports a file as text: vitest does so by itself, build.js by a plugin. */
declare module "*?raw" {
  const text: string;
  export default text;
}
