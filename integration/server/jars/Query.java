import org.apache.iotdb.isession.SessionDataSet;
import org.apache.iotdb.session.Session;

/** Runs statements on an IoTDB and prints what queries give: columns and rows, with tabs between. */
public class Query {
  public static void main(String[] a) throws Exception {
    Session s = new Session.Builder().host(a[0]).port(Integer.parseInt(a[1])).username(a[2]).password(a[3]).build();
    s.open();
    for (int q = 4; q < a.length; q++) {
      if (!a[q].matches("(?is)(select|show|count)\\b.*")) {
        s.executeNonQueryStatement(a[q]);
        continue;
      }
      try (SessionDataSet d = s.executeQueryStatement(a[q])) {
        System.out.println(String.join("\t", d.getColumnNames()));
        while (d.hasNext()) System.out.println(d.next());
      }
    }
    s.close();
  }
}
