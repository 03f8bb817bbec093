/** What the build says of itself (`bundling.js`); not there where nothing is built, as in tests. */

/** Whether this is the single executable, which holds Node.js and all parts. */
declare const IS_SINGLE_EXECUTABLE: boolean | undefined;
