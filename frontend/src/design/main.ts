/** The entry: edits the file that the server serves the page for. */

import "uplot/dist/uPlot.min.css";
import "../page.css";
import "./design.css";
import type { Beginning } from "./data";
import { design } from "./page";

const begin = JSON.parse(document.getElementById("data")!.textContent!) as Beginning;
design(document.getElementById("page")!, begin);
