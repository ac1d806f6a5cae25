export default function IncidentsView() { return <p>soon</p> }
